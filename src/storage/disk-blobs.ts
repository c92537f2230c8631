import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { mkdir, open, rename, rm, stat as fileStat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { MuslinError } from '../errors.ts'
import type { BlobDraft, BlobReader, BlobStore } from '../services/ports.ts'
import { codeOf, diskError } from './disk-error.ts'
import { claimProcessFolder, sweepProcessFolders } from './process-folder.ts'
import { ASIDE, blobFaults, blobPath, listBlobs } from './blob-folder.ts'
import { openDraft } from './draft.ts'

/** Bytes a read: measured faster than the 64 KiB that streams take by themselves, and fifty readers hold little. */
const CHUNK_BYTES = 256 * 1024

/**
 * Blobs as files under `folder`: `sha256/ab/cd/<sha256>`, and drafts in `drafts/` until they are kept. Several processes may
 * share the folder. Throws `disk-full` when no space is left, `data-folder` when the disk refuses otherwise.
 */
export function createDiskBlobs({ folder }: { folder: string }): BlobStore & { close(): void } {
  const drafts = join(folder, 'drafts')
  let own: ReturnType<typeof claimProcessFolder> | undefined
  let opened = 0

  function placeOf(sha256: string): string {
    // Digests come from URLs too: only what is one may become a path.
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw absent(sha256)
    return blobPath(folder, sha256)
  }

  async function draft(): Promise<BlobDraft> {
    try {
      own ??= claimProcessFolder(drafts)
    } catch (error) {
      throw diskError(error)
    }
    opened += 1
    const path = join(own.path, String(opened))
    return openDraft({ path, publish: (sha256) => publish(path, placeOf(sha256)) })
  }

  async function stat(sha256: string): Promise<{ size: number } | undefined> {
    try {
      return { size: (await fileStat(placeOf(sha256))).size }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw diskError(error)
    }
  }

  /** Blocks for microseconds: four trips to the thread pool would take longer, and all of a small file's bytes are on one page of the disk or few. */
  async function look(sha256: string, most: number): Promise<{ size: number; bytes?: Buffer } | undefined> {
    let file: number | undefined
    try {
      file = openSync(placeOf(sha256), 'r')
      const { size } = fstatSync(file)
      if (size > most) return { size }
      const bytes = Buffer.allocUnsafe(size)
      for (let at = 0; at < size;) {
        const read = readSync(file, bytes, at, size - at, at)
        if (read === 0) throw new Error('a blob became shorter while it was read')
        at += read
      }
      return { size, bytes }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw diskError(error)
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }

  async function stream(sha256: string, range?: { start: number; end: number }): Promise<Readable> {
    try {
      const file = await open(placeOf(sha256))
      return file.createReadStream({ ...range, highWaterMark: CHUNK_BYTES })
    } catch (error) {
      throw isAbsent(error) ? absent(sha256) : diskError(error)
    }
  }

  async function reader(sha256: string): Promise<BlobReader> {
    try {
      return descriptorReader(openSync(placeOf(sha256), 'r'))
    } catch (error) {
      throw isAbsent(error) ? absent(sha256) : diskError(error)
    }
  }

  async function remove(sha256: string, only?: { keptBefore: number }): Promise<boolean> {
    try {
      const place = placeOf(sha256)
      if (only === undefined) await rm(place)
      else return await removeOlder(place, only.keptBefore)
      return true
    } catch (error) {
      if (isAbsent(error)) return false
      throw diskError(error)
    }
  }

  /** Whoever keeps the same bytes meanwhile puts a file of his own there, which is not the one that is taken away. */
  async function removeOlder(place: string, keptBefore: number): Promise<boolean> {
    if ((await fileStat(place)).mtimeMs >= keptBefore) return false
    own ??= claimProcessFolder(drafts)
    opened += 1
    const away = join(own.path, String(opened))
    await rename(place, away)
    const kept = (await fileStat(away)).mtimeMs >= keptBefore
    await (kept ? rename(away, place) : rm(away))
    return !kept
  }

  async function setAside(sha256: string): Promise<void> {
    try {
      await mkdir(join(folder, ASIDE), { recursive: true, mode: 0o700 })
      await rename(placeOf(sha256), join(folder, ASIDE, sha256))
    } catch (error) {
      if (!isAbsent(error)) throw diskError(error)
    }
  }

  async function sweep(): Promise<number> {
    try {
      return sweepProcessFolders(drafts)
    } catch (error) {
      throw diskError(error)
    }
  }

  return {
    draft, stat, look, read: stream, reader, remove, setAside, sweep,
    list: () => listBlobs(folder),
    faults: () => blobFaults(folder),
    /** Lets go of this process's drafts: the next sweep takes what is left of them. */
    close() {
      own?.lock.close()
      own = undefined
    },
  }
}

/** A descriptor must not be closed under a read: its number may be another file's by then. */
function descriptorReader(file: number): BlobReader {
  let reading: Promise<number> | undefined
  return {
    read(into, at) {
      reading = new Promise((resolve, reject) => {
        read(file, into, 0, into.length, at, (error, bytesRead) => {
          reading = undefined
          if (error) reject(diskError(error))
          else resolve(bytesRead)
        })
      })
      return reading
    },
    async close() {
      await reading?.catch(() => {})
      closeSync(file)
    },
  }
}

/** Moves a finished draft to its place, so that it is there after a power cut too, or not at all. */
async function publish(path: string, place: string): Promise<string> {
  const leaf = dirname(place)
  const made = await mkdir(leaf, { recursive: true, mode: 0o700 })
  // Same digest, same bytes: readers of an older file notice nothing, and whoever removes what is old finds it young.
  await rename(path, place)
  await syncFolder(leaf)
  // A new folder's own name is on disk only once its parent is: up to the folder that holds `sha256/`.
  if (made !== undefined) for (const up of [dirname(leaf), join(leaf, '../..'), join(leaf, '../../..')]) await syncFolder(up)
  return place
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || (error instanceof MuslinError && error.code === 'no-such-file')
}

function absent(sha256: string): MuslinError {
  return new MuslinError('no-such-file', `no blob ${sha256.slice(0, 64)} is stored; ask for the file again so that it is fetched`)
}
