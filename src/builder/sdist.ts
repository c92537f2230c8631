/** Reads an sdist without unpacking it: bounded, and every path checked. */
import { createReadStream, openAsBlob } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { BlobReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js'
import { extract } from 'tar-stream'
import { isScript, sourceEnding, wanted, type SdistContents } from '../domain/plan-contents.ts'
import { Failed } from './failed.ts'

export interface SdistBounds { entries: number; bytes: number }

interface Member {
  name: string
  kind: 'file' | 'folder' | 'link' | 'other'
  size: number
  /** Where a link leads, from the archive's root; undefined where that is outside. */
  leads?: string | undefined
  /** To be called before the next member comes, if at all. */
  read: () => Promise<Buffer>
}

/** What the sdist at `path` (`.zip`, else `.tar.gz`) holds. Throws Failed with `bad-sdist` where it cannot be read or is not to be unpacked. */
export async function readSdist(path: string, bounds: SdistBounds): Promise<SdistContents> {
  const contents: SdistContents = { folder: '', entries: 0, bytes: 0, texts: new Map(), sources: [], scripts: [] }
  const sources = new Map<string, { files: number; bytes: number }>()
  const take = async (member: Member) => {
    contents.entries += 1
    contents.bytes += member.size
    if (contents.entries > bounds.entries) throw bad(`it holds more than ${bounds.entries} entries`)
    if (contents.bytes > bounds.bytes) throw bad(`it unpacks to more than ${bounds.bytes} bytes`)
    const parts = partsOf(member.name)
    const [folder, ...inside] = parts
    if (folder === undefined) return
    if (contents.folder === '') contents.folder = folder
    if (folder !== contents.folder) throw bad(`it has more than one top-level folder: ${shown(contents.folder)} and ${shown(folder)}`)
    if (member.kind === 'other') throw bad(`${shown(member.name)} is neither a file, a folder nor a link`)
    if (member.kind === 'link' && member.leads?.split('/')[0] !== folder) throw bad(`the link ${shown(member.name)} points outside`)
    if (member.kind !== 'file') return
    if (inside.length === 0) throw bad(`${shown(member.name)} lies outside its top-level folder`)
    const path = inside.join('/')
    if (isScript(path)) contents.scripts.push(path)
    const ending = sourceEnding(path)
    if (ending !== undefined) {
      const count = sources.get(ending) ?? { files: 0, bytes: 0 }
      sources.set(ending, { files: count.files + 1, bytes: count.bytes + member.size })
    }
    const length = wanted(path)
    if (length > 0) contents.texts.set(path, (await member.read()).subarray(0, length).toString('utf8').replace(/^\uFEFF/, ''))
  }
  try {
    await (path.endsWith('.zip') ? eachOfZip(path, take) : eachOfTar(path, bounds, take))
  } catch (error) {
    if (error instanceof Failed || isOurs(error)) throw error
    throw bad(`it is no readable archive (${error instanceof Error ? error.message.slice(0, 80) : 'unknown error'})`)
  }
  if (contents.folder === '') throw bad('it is empty')
  return { ...contents, sources: [...sources].sort().map(([ending, count]) => ({ ending, ...count })) }
}

async function eachOfTar(path: string, bounds: SdistBounds, take: (member: Member) => Promise<void>): Promise<void> {
  const archive = extract()
  const gunzip = createGunzip()
  let seen = 0
  // Headers and padding are counted too: entries of no size cost nothing else.
  const limit = bounds.bytes + bounds.entries * 2048
  gunzip.on('data', (chunk: Buffer) => {
    seen += chunk.length
    if (seen > limit) gunzip.destroy(bad(`it unpacks to more than ${bounds.bytes} bytes`))
  })
  let broken: unknown
  const flow = pipeline(createReadStream(path), gunzip, archive as unknown as NodeJS.WritableStream).catch((error: unknown) => { broken = error })
  try {
    for await (const entry of archive) {
      const { header } = entry
      await take({
        name: header.name,
        kind: KINDS[header.type ?? 'file'] ?? 'other',
        size: header.type === 'file' || header.type === 'contiguous-file' ? header.size ?? 0 : 0,
        // A hard link names its target from the archive's root, a symbolic link from its own folder.
        leads: header.linkname ? resolveFrom(header.type === 'link' ? '' : header.name, header.linkname) : undefined,
        read: async () => {
          const chunks: Buffer[] = []
          for await (const chunk of entry) chunks.push(chunk as Buffer)
          return Buffer.concat(chunks)
        },
      })
      entry.resume()
    }
    await flow
  } catch (error) {
    archive.destroy()
    await flow
    throw error instanceof Failed ? error : broken ?? error
  }
  if (broken !== undefined) throw broken
}

const KINDS: Record<string, Member['kind']> = { 'file': 'file', 'contiguous-file': 'file', 'directory': 'folder', 'symlink': 'link', 'link': 'link' }

async function eachOfZip(path: string, take: (member: Member) => Promise<void>): Promise<void> {
  const zip = new ZipReader(new BlobReader(await openAsBlob(path)), { useWebWorkers: false })
  try {
    for await (const entry of zip.getEntriesGenerator()) {
      await take({
        name: entry.filename,
        kind: entry.directory ? 'folder' : 'file',
        size: entry.uncompressedSize,
        read: async () => entry.directory ? Buffer.alloc(0) : Buffer.from(await entry.getData(new Uint8ArrayWriter(), { checkSignature: true })),
      })
    }
  } finally {
    await zip.close()
  }
}

function partsOf(name: string): string[] {
  if (name.startsWith('/') || /[\0\\]/.test(name)) throw bad(`the path ${shown(name)} is not relative and plain`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw bad(`the path ${shown(name)} leads outside`)
  return parts
}

/** `target` as seen from the folder that holds `from`; undefined where it leaves the archive. */
function resolveFrom(from: string, target: string): string | undefined {
  if (target.startsWith('/') || target.includes('\\')) return undefined
  const path = from.split('/').filter((part) => part !== '' && part !== '.').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') { if (path.pop() === undefined) return undefined } else if (part !== '' && part !== '.') path.push(part)
  }
  return path.join('/')
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}

/** Trouble with our own disk is not the sdist's fault. */
function isOurs(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'EIO', 'EMFILE', 'ENFILE'].includes(String((error as { code?: unknown } | null)?.code))
}

function bad(key: string): Failed {
  return new Failed({ class: 'bad-sdist', key })
}
