import { type FileHandle, mkdir, open, rename, rm, stat as fileStat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { MuslinError } from '../errors.ts'
import type { BlobDraft, BlobStore } from '../services/ports.ts'
import { codeOf, diskError } from './disk-error.ts'
import { claimProcessFolder, sweepProcessFolders } from './process-folder.ts'
import { ASIDE, blobFaults, blobPath, listBlobs } from './blob-folder.ts'
import { CHUNK_BYTES, openDraft } from './draft.ts'

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

  async function read(sha256: string, range?: { start: number; end: number }): Promise<Readable> {
    try {
      const file = await open(placeOf(sha256))
      return file.createReadStream({ ...range, highWaterMark: CHUNK_BYTES })
    } catch (error) {
      throw isAbsent(error) ? absent(sha256) : diskError(error)
    }
  }

  async function small(sha256: string, most: number): Promise<Buffer | 'larger' | undefined> {
    let file: FileHandle | undefined
    try {
      file = await open(placeOf(sha256))
      const { size } = await file.stat()
      if (size > most) return 'larger'
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, 0)
      if (bytesRead < size) throw new Error(`the blob ${sha256} became shorter while it was read`)
      return buffer
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw diskError(error)
    } finally {
      await file?.close()
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
    draft, stat, read, small, remove, setAside, sweep,
    list: () => listBlobs(folder),
    faults: () => blobFaults(folder),
    /** Lets go of this process's drafts: the next sweep takes what is left of them. */
    close() {
      own?.lock.close()
      own = undefined
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
