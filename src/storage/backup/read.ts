import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { extract } from 'tar-stream'
import type { z } from 'zod'
import { MuslinError } from '../../errors.ts'
import { codeOf, diskError } from '../disk-error.ts'
import { readyCopy } from '../sqlite/copy.ts'
import { DATABASE, entryKind, First, FORMAT, Last } from './format.ts'

export interface Unpacked { first: First; last: Last }

/** What one line of JSON may have. */
const LARGEST_TEXT = 64 * 1024 * 1024
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * Unpacks a backup into the empty folder `into`; each blob's bytes are checked against their digest as they pass. Throws `bad-backup` for
 * what is none, is cut off, has an entry that no backup has, or other bytes than were written; then what lies in `into` is of no use.
 */
export async function readBackup({ source, into, progress }: { source: Readable; into: string; progress?: ((bytes: number) => void) | undefined }): Promise<Unpacked> {
  const archive = extract()
  let failure: unknown
  const flow = unpack(source, archive as unknown as NodeJS.WritableStream, progress).catch((error: unknown) => { failure ??= error })
  const state: State = { first: undefined, last: undefined, database: undefined, blobs: 0, bytes: 0, logs: 0 }
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header
      if (state.last) throw bad(`${shown(name)} comes behind its end`)
      if (type !== 'file') throw bad(`${shown(name)} is a ${type}, and a backup has files alone`)
      await take(entry as unknown as Readable, name, into, state)
    }
    await flow
    if (failure) throw failure
    return await checked(state, into)
  } catch (error) {
    throw told(failure ?? error)
  } finally {
    archive.destroy()
    source.destroy()
    await flow
  }
}

interface State { first: First | undefined; last: Last | undefined; database: string | undefined; blobs: number; bytes: number; logs: number }

async function unpack(source: Readable, archive: NodeJS.WritableStream, progress: ((bytes: number) => void) | undefined): Promise<void> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const begin: Buffer[] = []
  while (begin.reduce((sum, { length }) => sum + length, 0) < ZSTD.length) {
    const { done, value } = await chunks.next()
    if (done) break
    begin.push(value)
  }
  const head = Buffer.concat(begin)
  const whole = async function* (): AsyncGenerator<Buffer> {
    let seen = 0
    for (let chunk: Buffer | undefined = head; chunk; ) {
      yield chunk
      seen += chunk.length
      progress?.(seen)
      const next: IteratorResult<Buffer> = await chunks.next()
      chunk = next.done ? undefined : next.value
    }
  }
  if (head.subarray(0, ZSTD.length).equals(ZSTD)) await pipeline(whole, createZstdDecompress(), archive)
  else await pipeline(whole, archive)
}

async function take(body: Readable, name: string, into: string, state: State): Promise<void> {
  const kind = entryKind(name)
  if (kind === undefined) throw bad(`it holds ${shown(name)}, which no backup holds`)
  if ((kind === 'first') === (state.first !== undefined)) throw bad(kind === 'first' ? 'it begins twice' : 'it does not begin as a backup does')
  if (kind === 'first') {
    state.first = await parsed(body, First)
    if (state.first.format > FORMAT) throw bad(`it was made by a newer Muslin (${shown(state.first.program)}); restore it by that one`)
    return
  }
  if (kind === 'last') {
    state.last = await parsed(body, Last)
    return
  }
  const { sha256, size } = await write(body, join(into, name))
  if (kind === 'database') state.database = sha256
  if (kind === 'log') state.logs += 1
  if (typeof kind !== 'object') return
  if (sha256 !== kind.blob) throw bad(`the blob ${kind.blob} has other bytes than its name says`)
  state.blobs += 1
  state.bytes += size
}

/** Names are known ones by now: no path leads out of the folder. */
async function write(body: Readable, path: string): Promise<{ sha256: string; size: number }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  let size = 0
  body.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    size += chunk.length
  })
  await pipeline(body, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  return { sha256: hash.digest('hex'), size }
}

async function parsed<T>(body: Readable, schema: z.ZodType<T>): Promise<T> {
  let size = 0
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_TEXT) throw bad('its description is too large')
    chunks.push(chunk)
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(chunks).toString()))
  } catch (error) {
    throw bad('its description cannot be read', error)
  }
}

async function checked({ first, last, database, blobs, bytes, logs }: State, into: string): Promise<Unpacked> {
  if (!first) throw bad('it is empty')
  if (!last) throw bad('it is cut off: its end is missing')
  if (database === undefined || database !== last.database) throw bad('its database is missing or damaged')
  if (blobs !== last.blobs || bytes !== last.bytes || logs !== last.logs) throw bad(`it should hold ${last.blobs} blobs and ${last.logs} logs, and has ${blobs} and ${logs}`)
  readyCopy(join(into, DATABASE))
  await sync(join(into, DATABASE))
  return { first, last }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function told(error: unknown): Error {
  if (error instanceof MuslinError) return error
  // What the disk refuses is no fault of the archive.
  if (/^(E[A-Z]+)$/.test(codeOf(error))) return diskError(error)
  return bad(`it is cut off, damaged, or no archive at all (${error instanceof Error ? error.message : String(error)})`, error)
}

function bad(what: string, cause?: unknown): MuslinError {
  return new MuslinError('bad-backup', `${what}; give a whole file that muslin backup wrote`, cause === undefined ? {} : { cause })
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
