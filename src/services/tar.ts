/** Tar streams, the form in which files enter and leave a run. Written and read here, whatever the engine. */
import { pipeline } from 'node:stream/promises'
import { Readable, Transform } from 'node:stream'
import { extract, pack } from 'tar-stream'
import { MuslinError } from '../errors.ts'

/** A file to pack. `mode` is 0o644 unless given; a body of known size may be opened when its turn comes. */
export interface TarEntry {
  name: string
  mode?: number
  body: Uint8Array | string | { size: number; open: () => Readable | Promise<Readable> }
}

/** A regular file on its way out. What of its `body` was not read when the next one is asked for is passed over. */
export interface TarFile { name: string; mode: number; size: number; body: Readable }

/**
 * A tar stream of regular files, in the order given, with the time 0 and no owner: the same files give the same bytes. The stream errors
 * when a name is unsafe, when a body cannot be read, or when it has another size than it said.
 */
export function packTar(entries: Iterable<TarEntry>): Readable {
  const archive = pack()
  const write = async () => {
    for (const entry of entries) {
      const header = { name: safeName(entry.name), mode: entry.mode ?? 0o644, mtime: new Date(0), type: 'file' as const }
      if (typeof entry.body === 'string' || entry.body instanceof Uint8Array) {
        const bytes = Buffer.from(entry.body)
        const sink = archive.entry({ ...header, size: bytes.length })
        await pipeline(Readable.from([bytes], { objectMode: false }), sink)
      } else {
        const sink = archive.entry({ ...header, size: entry.body.size })
        await pipeline(await entry.body.open(), sink)
      }
    }
    archive.finalize()
  }
  // Wrapped, so that callers get a stream of Node's own, with its errors and its destroy.
  const out = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
  const failed = (error: Error) => { archive.destroy(error); out.destroy(error) }
  pipeline(archive as unknown as NodeJS.ReadableStream, out).catch((error: Error) => out.destroy(error))
  write().catch(failed)
  return out
}

/**
 * The regular files of a tar stream, one by one. Directories are passed over. Throws `transfer-failed` where the whole (headers included)
 * is beyond `maxBytes`, has more than `maxEntries` entries, is no tar archive, or holds a link, a device or a name that leads elsewhere:
 * the other end is a container in which anybody's code ran.
 */
export async function* extractTar(stream: Readable, limits: { maxBytes: number; maxEntries: number }): AsyncGenerator<TarFile> {
  const archive = extract()
  let failure: Error | undefined
  const flow = pipeline(stream, cap(limits.maxBytes), archive as unknown as NodeJS.WritableStream).catch((error: Error) => { failure = error })
  let count = 0
  try {
    for await (const entry of archive) {
      const { header } = entry
      if (++count > limits.maxEntries) throw refused(`more than ${limits.maxEntries} entries`)
      if (header.type === 'directory') { entry.resume(); continue }
      if (header.type !== 'file' && header.type !== 'contiguous-file') throw refused(`${JSON.stringify(header.name)} is a ${header.type}, not a file`)
      const name = safeName(header.name)
      const body = Readable.from(bytesOf(entry), { objectMode: false })
      yield { name, mode: (header.mode ?? 0o644) & 0o777, size: header.size ?? 0, body }
      body.resume()
    }
    await flow
    if (failure) throw failure
  } catch (error) {
    throw asRefused(failure ?? error)
  } finally {
    archive.destroy()
    stream.destroy()
    await flow
  }
}

async function* bytesOf(entry: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    yield* entry
  } catch (error) {
    throw asRefused(error)
  }
}

/** A relative path of plain parts, as it is; throws `transfer-failed` for any other. */
export function safeName(name: string): string {
  const plain = name.startsWith('./') ? name.slice(2) : name
  const parts = plain.split('/')
  if (plain.includes('\0') || plain.includes('\\') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw refused(`the name ${JSON.stringify(name)} is not a plain relative path`)
  }
  return plain
}

/** Passes bytes on and errors with `transfer-failed` beyond `max`. `flush` is waited for before the end. */
export function cap(max: number, flush?: () => Promise<void>): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      if (seen > max) done(refused(`more than ${max} bytes`))
      else done(null, chunk)
    },
    flush(done) { if (flush) flush().then(() => done(), done); else done() },
  })
}

/** Errors of a source that are Muslin's own say more than we could. */
function asRefused(error: unknown): MuslinError {
  return error instanceof MuslinError ? error : refused(error instanceof Error ? error.message : String(error))
}

function refused(what: string): MuslinError {
  return new MuslinError('transfer-failed', `refused from a container: ${what}; see the build's log`)
}
