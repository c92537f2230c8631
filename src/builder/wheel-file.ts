/** Wheels as files: read within bounds, and written anew under the name and tag that we publish them by. */
import { createHash } from 'node:crypto'
import { createWriteStream, openAsBlob } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { BlobReader, ZipReader, ZipWriter, Uint8ArrayReader, type Entry, type FileEntry } from '@zip.js/zip.js'
import { cleanLine } from '../domain/clean.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import { formatRecord, parseRecord } from '../domain/record.ts'
import type { Target } from '../domain/target.ts'
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

/**
 * Writes the wheel anew under its final name: WHEEL gets the target's one tag and the build number, RECORD follows, signatures of the
 * old RECORD go. All else is copied as compressed, modes and order kept, times not: the same input gives the same bytes. Returns the
 * new path; throws WheelError as `readWheel` does.
 */
export async function retagWheel(input: { path: string; to: string; filename: string; number: number; target: Target }): Promise<string> {
  const named = parseWheelFilename(input.filename)
  if (named?.build !== String(input.number) || !named.platforms.every((platform) => input.target.name.endsWith(`-${platform}`))) {
    throw new Error(`${input.filename} does not name build ${input.number} for ${input.target.name}`)
  }
  const entries = await entriesOf(input.path)
  const info = entries.map((entry) => /^[^/]+\.dist-info\/(?=WHEEL$)/.exec(entry.filename)?.[0]).find((folder) => folder !== undefined)
  const wheel = entries.find((entry) => entry.filename === `${info}WHEEL`)
  const record = entries.find((entry) => entry.filename === `${info}RECORD`)
  if (!wheel || !record) throw new WheelError('it has no WHEEL or no RECORD')
  const tag = input.filename.slice(0, -'.whl'.length).split('-').slice(-3).join('-')
  const wheelBytes = encode(retag(decode(await readEntry(wheel)), input.number, tag))
  const recordBytes = encode(rerecord(decode(await readEntry(record)), wheel.filename, wheelBytes))

  const path = join(input.to, input.filename)
  const file = createWriteStream(path, { flags: 'wx' })
  try {
    const writer = new ZipWriter(Writable.toWeb(file), { keepOrder: true, useWebWorkers: false, extendedTimestamp: false, rawLastModDate: EPOCH })
    for (const entry of entries.filter(({ filename }) => !filename.startsWith(`${info}RECORD`))) {
      if (entry === wheel) await add(writer, entry, wheelBytes)
      else await copy(writer, entry)
    }
    await add(writer, record, recordBytes)
    await writer.close()
  } catch (error) {
    file.destroy()
    await rm(path, { force: true })
    throw asWheelError(error)
  }
  return path
}

/** 1980-01-01 00:00 in the zip format's own count: the first moment it knows, in no time zone. */
const EPOCH = 0x00210000
const MOST_MEMBERS = 65_000
const MOST_BYTES = 4 * 1024 ** 3
/** A member is read whole to be checked, so this is what a hostile wheel can have of the server's memory. */
const MOST_BYTES_OF_ONE = 256 * 1024 ** 2
/** Deflate cannot shrink further than this: a larger claim is a lie that would only cost us memory. */
const DEFLATE_LIMIT = 1032

async function entriesOf(path: string): Promise<Entry[]> {
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

async function readEntry(entry: Entry): Promise<Uint8Array> {
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

function retag(text: string, number: number, tag: string): string {
  const kept = text.split(/\r?\n/).filter((line) => line !== '' && !/^(?:tag|build)\s*:/i.test(line))
  return [...kept, `Build: ${number}`, `Tag: ${tag}`, ''].join('\n')
}

function rerecord(text: string, wheelName: string, wheel: Uint8Array): string {
  const parsed = parseRecord(text)
  if ('bad' in parsed) throw new WheelError(`its RECORD has the line ${parsed.bad}`)
  const digest = `sha256=${createHash('sha256').update(wheel).digest('base64url')}`
  return formatRecord(parsed.lines
    .filter(({ name }) => !/\.dist-info\/RECORD\.(?:jws|p7s)$/.test(name))
    .map((line) => line.name === wheelName ? { name: wheelName, digest, size: String(wheel.length) } : line))
}

async function add(writer: ZipWriter<unknown>, entry: Entry, bytes: Uint8Array): Promise<void> {
  await writer.add(entry.filename, new Uint8ArrayReader(bytes), { ...attributes(entry), bufferedWrite: true })
}

// The compressed bytes go through as they are: no member is unpacked, and a large one is never whole in memory.
async function copy(writer: ZipWriter<unknown>, entry: Entry): Promise<void> {
  if (entry.directory) {
    await writer.add(entry.filename, undefined, { ...attributes(entry), directory: true })
    return
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const source = (entry as FileEntry).getData(writable, { passThrough: true, useWebWorkers: false, strictness: 'strict' })
  const written = writer.add(entry.filename, readable, {
    ...attributes(entry), passThrough: true, compressionMethod: entry.compressionMethod, uncompressedSize: entry.uncompressedSize, crc32: entry.signature ?? 0,
  })
  await Promise.all([source, written])
}

function attributes(entry: Entry) {
  const { externalFileAttributes, internalFileAttributes, versionMadeBy } = entry
  return { externalFileAttributes, internalFileAttributes, versionMadeBy }
}

function asWheelError(error: unknown): unknown {
  if (error instanceof WheelError) return error
  // zip.js names its errors by plain sentences; what the system says (no such file, no space) is not the wheel's fault.
  if (error instanceof Error && !('syscall' in error)) return new WheelError(`it is no sound zip file: ${error.message}`, { cause: error })
  return error
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const encode = (text: string) => new TextEncoder().encode(text)
