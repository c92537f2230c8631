import contentDisposition from 'content-disposition'
import type { Context } from 'koa'
import parseRange from 'range-parser'
import { MuslinError } from '../errors.ts'
import type { OpenFile } from '../services/files.ts'
import { poured } from './poured.ts'

export const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Whatever an sdist or wheel is taken for, nothing of it runs in a browser under our name. */
const HARMLESS = { 'Content-Security-Policy': 'sandbox' }
export const METADATA_HEADERS: Record<string, string> = { 'Content-Type': 'text/plain; charset=utf-8', ...HARMLESS }

/**
 * Answers with a file, whose bytes never change under this address unless `cacheControl` says otherwise: strong ETag, 304, and one range
 * (of several ranges the whole is sent, as RFC 9110 section 14.2 allows). With `xAccel` a kept file that is not small is left to nginx. True
 * where bytes are sent from the first one on: not for a 304, HEAD, or the rest of a file. Throws `bad-range`.
 */
export async function sendFile(ctx: Context, file: OpenFile, { filename, cacheControl = IMMUTABLE, xAccel }: {
  filename: string
  cacheControl?: string
  xAccel?: string | undefined
}): Promise<boolean> {
  if (validated(ctx, file.sha256, cacheControl)) return false
  ctx.set(fileHeaders(filename))
  const size = file.size ?? (ctx.method === 'HEAD' || ctx.get('Range') !== '' ? await file.measure?.() : undefined)
  if (size !== undefined) ctx.set('Accept-Ranges', 'bytes')
  const range = size === undefined ? undefined : requestedRange(ctx, size)
  // Who comes by another way than through nginx, as our own builds do, needs the bytes themselves.
  if (xAccel !== undefined && ctx.get('X-Sendfile-Type') === 'X-Accel-Redirect' && !file.measure && !file.bytes) {
    // nginx sees the request's Range itself, and answers it.
    ctx.set('X-Accel-Redirect', xAccel + placeOf(file.sha256))
    ctx.body = ''
  } else {
    if (range) {
      ctx.status = 206
      ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${size}`)
    }
    await sendBytes(ctx, { ...file, size }, range)
  }
  return ctx.method === 'GET' && (range?.start ?? 0) === 0
}

/** What is said of a file, whichever way it is sent. */
export function fileHeaders(filename: string): Record<string, string> {
  return { 'Content-Type': 'application/octet-stream', 'Content-Disposition': contentDisposition(filename), ...HARMLESS }
}

/** Answers with METADATA. That of a promise may be replaced by its build's, so it is not `immutable`. */
export async function sendMetadata(ctx: Context, file: OpenFile, { immutable }: { immutable: boolean }): Promise<void> {
  if (validated(ctx, file.sha256, immutable ? IMMUTABLE : 'private, max-age=0, must-revalidate')) return
  ctx.set(METADATA_HEADERS)
  await sendBytes(ctx, file)
}

/** Answers with METADATA that says nothing, of a wheel that is damaged. */
export function sendNoMetadata(ctx: Context): void {
  ctx.status = 200
  ctx.set({ ...METADATA_HEADERS, 'Cache-Control': 'no-store' })
  ctx.body = ''
}

/** Answers with a provenance (PEP 740), which may gain attestations. */
export async function sendProvenance(ctx: Context, file: OpenFile): Promise<void> {
  if (validated(ctx, file.sha256, 'public, max-age=3600')) return
  ctx.set('Content-Type', 'application/vnd.pypi.integrity.v1+json')
  await sendBytes(ctx, file)
}

/** Sets what names and keeps an answer; true when the client holds it already (304). */
export function validated(ctx: Context, tag: string, cacheControl: string): boolean {
  ctx.status = 200
  ctx.set('ETag', `"${tag}"`)
  ctx.set('Cache-Control', cacheControl)
  if (!ctx.fresh) return false
  ctx.status = 304
  return true
}

async function sendBytes(ctx: Context, file: OpenFile, range?: { start: number; end: number }): Promise<void> {
  if (ctx.method === 'HEAD') {
    if (file.size !== undefined) ctx.length = file.size
    return
  }
  if (file.bytes) {
    ctx.body = range ? file.bytes.subarray(range.start, range.end + 1) : file.bytes
    return
  }
  if (file.reader && file.size !== undefined && file.size > 0) {
    const wanted = range ?? { start: 0, end: file.size - 1 }
    ctx.body = poured(await file.reader(), wanted)
    ctx.length = wanted.end - wanted.start + 1
    return
  }
  const { body, length, unchecked } = await file.read(range)
  // The whole of it is checked before it ends. A part cannot be, so nobody may give it to others.
  if (unchecked) ctx.set('Cache-Control', 'no-store')
  ctx.body = body
  if (length !== undefined) ctx.length = length
}

/** Where a blob lies in the folder of blobs, which is nginx's root there. */
function placeOf(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`
}

function requestedRange(ctx: Context, size: number): { start: number; end: number } | undefined {
  const header = ctx.get('Range')
  // RFC 9110 section 14.2: only GET has ranges. 13.1.5: If-Range with anything but our strong ETag, a date too, asks for the whole.
  if (header === '' || ctx.method !== 'GET') return undefined
  const condition = ctx.get('If-Range')
  if (condition !== '' && condition !== ctx.response.get('ETag')) return undefined
  const ranges = parseRange(size, header)
  if (ranges === -1) {
    ctx.set('Content-Range', `bytes */${size}`)
    throw new MuslinError('bad-range', `the file has ${size} bytes; ask for a range within them`)
  }
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  return ranges[0]
}
