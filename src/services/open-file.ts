import type { Readable } from 'node:stream'
import type { BlobReader } from './ports.ts'

/** A file that may be sent. */
export interface OpenFile {
  sha256: string
  /** Bytes of the whole file. Undefined while nobody here knows. */
  size: number | undefined
  /** All of them, where they are few and here. */
  bytes?: Buffer | undefined
  /** Of a file that is here: piece by piece, into the caller's own memory. */
  reader?: () => Promise<BlobReader>
  /** Of a file that is not here yet: its size, for which the upstream is asked where nobody here knows it. */
  measure?: () => Promise<number | undefined>
  /**
   * The bytes, or those from `start` to `end`, both included (only where the size is known), and how many they will be where that is
   * known. `unchecked`: they come before the whole could be compared with its digest. Rejects where not even the first byte can be had.
   */
  read(range?: { start: number; end: number }): Promise<{ body: Readable; length: number | undefined; unchecked?: boolean }>
}
