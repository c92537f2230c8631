import { LRUCache } from 'lru-cache'
import { lastOf } from './last-of.ts'
import type { BlobStore, Glance } from './ports.ts'

/** The bytes of a small recorded file, or of its metadata, and their digest. */
export interface SmallFile { sha256: string; bytes: Buffer }

export interface SmallFiles {
  /**
   * The file, or its `.metadata`, at once where it lies in memory; undefined, at once or later, where it is not to be had here: not
   * recorded, not allowed, not there yet, or not small. `Files` knows more then. Throws, or rejects, as the store does.
   */
  find(sha256: string, filename: string, metadata: boolean): SmallFile | Promise<SmallFile | undefined> | undefined
}

/** Wheels of pure Python and METADATA are mostly below. */
export const SMALL_BYTES = 64 * 1024
const MEMORY_BYTES = 8 * 1024 * 1024
/** So many digests of larger files are remembered, so that none is opened twice. */
const REMEMBERED = 10_000

/** Small files in memory, each read in one go. Whether a file may be had is asked each time, its bytes are kept by their digest. */
export function createSmallFiles({ glance, blobs, allowed = () => true, memoryBytes = MEMORY_BYTES }: {
  glance: Pick<Glance, 'file'>
  blobs: Pick<BlobStore, 'look'>
  /** Whether a policy lets the file out; `Files` says why not. */
  allowed?: (file: { project: string; filename: string }) => boolean
  memoryBytes?: number
}): SmallFiles {
  const kept = new LRUCache<string, SmallFile>({ maxSize: memoryBytes, sizeCalculation: ({ bytes }) => bytes.length + 256 })
  const large = lastOf<true>(REMEMBERED)

  return {
    find(sha256, filename, metadata) {
      const file = glance.file(sha256, filename)
      if (!file || !allowed({ project: file.project, filename })) return undefined
      const digest = metadata ? file.metadata : sha256
      // Empty where the page announced metadata without their digest: nobody has fetched them yet.
      if (!digest || large.has(digest)) return undefined
      return kept.get(digest) ?? read(digest)
    },
  }

  async function read(sha256: string): Promise<SmallFile | undefined> {
    const found = await blobs.look(sha256, SMALL_BYTES)
    if (found && !found.bytes) large.set(sha256, true)
    const bytes = found?.bytes
    if (!bytes) return undefined
    const file = { sha256, bytes }
    kept.set(sha256, file)
    return file
  }
}
