/** Wheels written anew: with what we add to them, under the name and tag that we publish them by. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Uint8ArrayReader, ZipWriter, type Entry, type FileEntry } from '@zip.js/zip.js'
import { parseWheelFilename } from '../domain/filename.ts'
import { formatRecord, parseRecord } from '../domain/record.ts'
import type { Target } from '../domain/target.ts'
import { asWheelError, entriesOf, readEntry, WheelError } from './wheel-file.ts'

/** `add`: texts for its .dist-info folder, by their names there. */
interface Rewriting { path: string; to: string; filename: string; add?: Record<string, string> }

/**
 * Writes the wheel anew under its final name: WHEEL gets the target's one tag and the build number. Returns the new path; throws
 * WheelError as `readWheel` does.
 */
export async function retagWheel(input: Rewriting & { number: number; target: Target }): Promise<string> {
  const { filename, number, target } = input
  const named = parseWheelFilename(filename)
  if (named?.build !== String(number) || !named.platforms.every((platform) => target.name.endsWith(`-${platform}`))) {
    throw new Error(`${filename} does not name build ${number} for ${target.name}`)
  }
  const tag = filename.slice(0, -'.whl'.length).split('-').slice(-3).join('-')
  return rewriteWheel(input, (text) => retag(text, number, tag))
}

/**
 * Writes the wheel anew, its WHEEL as `rewrite` makes it. RECORD follows, signatures of the old RECORD go. All else is copied as
 * compressed, with its mode but for what lends rights; order and times are fixed, so that the same members give the same bytes. Returns the new path.
 */
export async function rewriteWheel({ path, to, filename, add = {} }: Rewriting, rewrite: (wheel: string) => string = (text) => text): Promise<string> {
  const entries = (await entriesOf(path)).filter((entry) => !entry.directory)
  const info = entries.map((entry) => /^[^/]+\.dist-info\/(?=WHEEL$)/.exec(entry.filename)?.[0]).find((folder) => folder !== undefined)
  const wheel = entries.find((entry) => entry.filename === `${info}WHEEL`)
  const record = entries.find((entry) => entry.filename === `${info}RECORD`)
  if (info === undefined || !wheel || !record) throw new WheelError('it has no WHEEL or no RECORD')
  const changed = new Map(Object.entries(add).map(([name, text]) => [`${info}${name}`, encode(text)]))
  changed.set(wheel.filename, encode(rewrite(decode(await readEntry(wheel)))))
  const lines = encode(rerecord(decode(await readEntry(record)), changed))
  const kept = entries.filter((entry) => !entry.filename.startsWith(record.filename) && !changed.has(entry.filename))
  const copies = Map.groupBy(kept, (entry) => entry.filename)

  const written = join(to, filename)
  const file = createWriteStream(written, { flags: 'wx' })
  try {
    const writer = new ZipWriter(Writable.toWeb(file), { keepOrder: true, useWebWorkers: false, extendedTimestamp: false, rawLastModDate: EPOCH })
    for (const name of inOrder([...copies.keys(), ...changed.keys()], info)) {
      const bytes = changed.get(name)
      if (bytes) await write(writer, name, bytes, wheel)
      else for (const entry of copies.get(name) ?? []) await copy(writer, entry as FileEntry)
    }
    await write(writer, record.filename, lines, record)
    await writer.close()
  } catch (error) {
    file.destroy()
    await rm(written, { force: true })
    throw asWheelError(error)
  }
  return written
}

/** 1980-01-01 00:00 in the zip format's own count: the first moment it knows, in no time zone. */
const EPOCH = 0x00210000

/** By name, and what tells about the rest at the end (PEP 427 "Recommended archiver features"). A name that is there twice stays so. */
function inOrder(names: string[], info: string): string[] {
  const rank = (name: string) => `${name.startsWith(info) ? 1 : 0}${name}`
  return [...new Set(names)].sort((a, b) => rank(a) < rank(b) ? -1 : 1)
}

function retag(text: string, number: number, tag: string): string {
  const kept = text.split(/\r?\n/).filter((line) => line !== '' && !/^(?:tag|build)\s*:/i.test(line))
  return [...kept, `Build: ${number}`, `Tag: ${tag}`, ''].join('\n')
}

function rerecord(text: string, changed: Map<string, Uint8Array>): string {
  const parsed = parseRecord(text)
  if ('bad' in parsed) throw new WheelError(`its RECORD has the line ${parsed.bad}`)
  const kept = parsed.lines.filter(({ name }) => !/\.dist-info\/RECORD\.(?:jws|p7s)$/.test(name) && !changed.has(name))
  const added = [...changed].map(([name, bytes]) => ({ name, digest: `sha256=${createHash('sha256').update(bytes).digest('base64url')}`, size: String(bytes.length) }))
  return formatRecord([...kept, ...added].sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

async function write(writer: ZipWriter<unknown>, name: string, bytes: Uint8Array, like: Entry): Promise<void> {
  await writer.add(name, new Uint8ArrayReader(bytes), { ...attributes(like), bufferedWrite: true })
}

// The compressed bytes go through as they are: no member is unpacked, and a large one is never whole in memory.
async function copy(writer: ZipWriter<unknown>, entry: FileEntry): Promise<void> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const source = entry.getData(writable, { passThrough: true, useWebWorkers: false, strictness: 'strict' })
  const written = writer.add(entry.filename, readable, {
    ...attributes(entry), passThrough: true, compressionMethod: entry.compressionMethod, uncompressedSize: entry.uncompressedSize, crc32: entry.signature ?? 0,
  })
  await Promise.all([source, written])
}

/** Set-user-ID, set-group-ID and sticky bit of the Unix mode. pip drops them; programs that unpack as they find would lend somebody's rights. */
const LENDING = 0o7000 << 16

function attributes({ externalFileAttributes, internalFileAttributes, versionMadeBy }: Entry) {
  return { externalFileAttributes: (externalFileAttributes & ~LENDING) >>> 0, internalFileAttributes, versionMadeBy }
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const encode = (text: string) => new TextEncoder().encode(text)
