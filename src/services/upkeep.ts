import type { Readable, Writable } from 'node:stream'
import type { FsckOptions, FsckReport } from './fsck.ts'
import type { GcReport } from './gc.ts'

/** Told of how far a long thing is: bytes, of all that there are (0: nobody knows). */
export type Told = (done: number, total: number) => void

export interface BackupReport {
  blobs: number
  bytes: number
  logs: number
  /** What blobs are for that the database refers to and that are not there. */
  gone: string[]
}

export interface RestoreReport {
  madeAt: string
  blobs: number
  bytes: number
  logs: number
  /** What was left out, or gone, when the backup was made. */
  gone: string[]
  withCache: boolean
  /** Where what lay in the folder before is now; undefined where it was empty. */
  moved: string | undefined
}

/** What is done to a data folder itself, whether or not a server is at work on it. */
export interface Upkeep {
  /** Whether a server or a worker is at work on it. */
  busy(): boolean
  gc(options: { dryRun: boolean }): Promise<GcReport>
  fsck(options: FsckOptions): Promise<FsckReport>
  /** Ends `out`. */
  backup(options: { out: Writable; compress: boolean; cache: boolean; progress?: Told }): Promise<BackupReport>
  restore(options: { source: string | Readable; force: boolean; progress?: Told }): Promise<RestoreReport>
}
