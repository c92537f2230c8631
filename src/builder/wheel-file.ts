/** Wheels as files, read within bounds. */
import { openAsBlob } from 'node:fs'
import { BlobReader, ZipReader, type Entry } from '@zip.js/zip.js'
import { cleanLine } from '../domain/clean.ts'
import type { WheelMember } from '../domain/verify.ts'

/** The bytes are no wheel that we take. The message is one short line of ASCII, fit to be a failure's key, whatever names it quotes. */
export class WheelError extends Error {
  override readonly name = 'WheelError'

  constructor(message: string, options?: ErrorOptions) {
    super(cleanLine(message, 120), options)
  }
}

export interface WheelFileMember extends WheelMember {
  /** Its first bytes, some thousand where it has as many: the rest is not unpacked, nor checked. */
  begin(): Promise<Uint8Array>
}

/**
 * The members of a wheel in their order; nothing is open afterwards, each `read` opens the file anew. Throws WheelError for what is
 * no sound zip file, could be read in two ways, or is larger than a wheel may be; so does `read`, where data and directory disagree.
 */
export async function readWheel(path: string): Promise<WheelFileMember[]> {
  return (await entriesOf(path)).map((entry) => ({ name: entry.filename, read: () => readEntry(entry), begin: () => beginEntry(entry) }))
}

const MOST_MEMBERS = 65_000
const MOST_BYTES = 4 * 1024 ** 3
/** A member is read whole to be checked, so this is what a hostile wheel can have of the server's memory. */
const MOST_BYTES_OF_ONE = 256 * 1024 ** 2
/** Deflate cannot shrink further than this: a larger claim is a lie that would only cost us memory. */
const DEFLATE_LIMIT = 1032

/** As zip.js gives them; throws as `readWheel` does. */
export async function entriesOf(path: string): Promise<Entry[]> {
  const reader = new ZipReader(new BlobReader(await openAsBlob(path)), { strictness: 'strict', useWebWorkers: false, checkSignature: true })
  try {
    const entries: Entry[] = []
    let total = 0
    for await (const entry of reader.getEntriesGenerator()) {
      total += entry.uncompressedSize
      if (entries.push(entry) > MOST_MEMBERS) throw new WheelError(`it has more than ${MOST_MEMBERS} members`)
      if (total > MOST_BYTES) throw new WheelError(`it unpacks to more than ${MOST_BYTES} bytes`)
      checkEntry(entry)
    }
    return entries
  } catch (error) {
    throw asWheelError(error)
  }
}

function checkEntry(entry: Entry): void {
  if (entry.encrypted) throw new WheelError(`its member ${entry.filename} is encrypted`)
  if (entry.symlink) throw new WheelError(`its member ${entry.filename} is a symbolic link`)
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) throw new WheelError(`its member ${entry.filename} is compressed in a way that pip cannot read`)
  if (entry.uncompressedSize > MOST_BYTES_OF_ONE) throw new WheelError(`its member ${entry.filename} is larger than ${MOST_BYTES_OF_ONE} bytes`)
  if (entry.uncompressedSize > entry.compressedSize * DEFLATE_LIMIT) throw new WheelError(`its member ${entry.filename} claims a size that it cannot have`)
}

/** Its bytes unpacked, within what a wheel's member may be. */
export async function readEntry(entry: Entry): Promise<Uint8Array> {
  if (entry.directory) return new Uint8Array()
  const bytes = new Uint8Array(entry.uncompressedSize)
  let length = 0
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (length + chunk.length > bytes.length) throw new WheelError(`its member ${entry.filename} is larger than it claims`)
      bytes.set(chunk, length)
      length += chunk.length
    },
  })
  try {
    await entry.getData(sink, { checkSignature: true, useWebWorkers: false, strictness: 'strict' })
  } catch (error) {
    throw asWheelError(error)
  }
  if (length !== bytes.length) throw new WheelError(`its member ${entry.filename} is smaller than it claims`)
  return bytes
}

async function beginEntry(entry: Entry): Promise<Uint8Array> {
  if (entry.directory) return new Uint8Array()
  const enough = new AbortController()
  let first = new Uint8Array()
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (first.length === 0) first = chunk.slice()
      enough.abort()
    },
  })
  try {
    await entry.getData(sink, { signal: enough.signal, useWebWorkers: false, strictness: 'strict' })
  } catch (error) {
    if (!enough.signal.aborted) throw asWheelError(error)
  }
  return first
}

/** What zip.js throws as what it means for the wheel. */
export function asWheelError(error: unknown): unknown {
  if (error instanceof WheelError) return error
  // zip.js names its errors by plain sentences; what the system says (no such file, no space) is not the wheel's fault.
  if (error instanceof Error && !('syscall' in error)) return new WheelError(`it is no sound zip file: ${error.message}`, { cause: error })
  return error
}
