/** The ports of what keeps a data folder in order, a part of `ports.ts`. */

export interface StoredBlob {
  sha256: string
  size: number
  /** Also when the same bytes were kept again. */
  keptAt: number
}

export interface StoreFault {
  /** `stray`: it is no blob, and no part of the store. `mode`: others may read or write it. `draft`: a dead process left it. */
  kind: 'stray' | 'mode' | 'draft'
  /** For people. */
  name: string
  mend(): Promise<void>
}

/** Which upstream files are stored, and when each was last used: what may go when room is needed. */
export interface CacheStore {
  /** Of blobs that no page names as a file nothing is noted, and of one that is not known to be stored only with its size. */
  note(uses: { sha256: string; size: number | undefined; at: number }[]): Promise<void>
  /** All that are stored. */
  total(): Promise<{ files: number; bytes: number }>
  /** Bytes of those that something else needs too. Looks through all of them, by parts: what changes meanwhile counts or does not. */
  held(): Promise<number>
  /** Those that nothing but a page needs, least recently used first, behind `after`. */
  oldest(limit: number, after?: Pick<CachedFile, 'usedAt' | 'sha256'>): Promise<CachedFile[]>
  /** Forgets that it is stored, unless it was used after `usedAt`. */
  forget(sha256: string, usedAt: number): Promise<void>
  /** Whether all that is stored has been counted, and since when the upstream has been the same. */
  state(): Promise<{ counted: boolean; upstream: string | undefined; since: number }>
  setUpstream(upstream: string, since: number): Promise<void>
  /** Counts all that is stored, in the order of the digests: from then on these are all, but for what was used since `began`. */
  count(stored: AsyncIterable<StoredBlob>, began: number): Promise<void>
}

export interface CachedFile {
  sha256: string
  size: number
  usedAt: number
  /** The projects whose file it is, under one name or another (`domain/owner.ts`). */
  projects: string[]
}

/** What can refer to a blob. */
export type HoldingKind = 'upstream-file' | 'upstream-metadata' | 'wheel' | 'wheel-metadata' | 'promise-metadata' | 'result' | 'kept' | 'list' | 'cached'

/** A row of the database that refers to a blob; `name` is for people. */
export interface Holding { sha256: string; kind: HoldingKind; name: string }

/** The database beside the blobs that are stored, at one moment. */
export interface Comparison {
  /** How many blobs are stored, and their bytes. */
  stored(): { blobs: number; bytes: number }
  /** The stored ones by their digest, each with what refers to it. */
  blobs(): Iterable<StoredBlob & { holdings: Holding[] }>
  /** Rows whose blob is not stored, and should be. */
  missing(): Iterable<Holding>
  close(): void
}

/** Looks through a whole database, on a connection of its own. */
export interface Inspection {
  compare(stored: AsyncIterable<StoredBlob>): Promise<Comparison>
  /** Every wheel that was built here. */
  wheels(): AsyncIterable<{ sha256: string; filename: string; metadata: string }>
  /** What SQLite finds wrong with it, a line each. */
  faults(): Promise<string[]>
  /** Projects whose stored page cannot be read any more. */
  badPages(): AsyncIterable<string>
  /** Of these numbers of builds those that are none. */
  unknownBuilds(numbers: number[]): Promise<number[]>
}

/** Changes that only mending makes. Pages tell of them at once. */
export interface MendStore {
  /** The bytes of what refers to a blob are lost: it is forgotten, so that it is fetched or made again when it is asked for. A wheel is listed no more, and its job is queued. Returns whether a job was. */
  lose(holding: Holding, now: number): Promise<boolean>
  /** The METADATA of a wheel of ours are those of this digest. */
  setWheelMetadata(filename: string, metadata: string): Promise<void>
  losePage(project: string): Promise<void>
}
