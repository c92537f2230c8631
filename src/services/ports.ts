/**
 * The ports: what the services need from the world, written so that a stranger could implement them.
 * Each has one contract suite in `test/contracts/` that every adapter passes. All times are milliseconds since 1970
 * unless a name says otherwise; all sha256 are lower-case hex. A method that cannot do its work throws a MuslinError.
 */
import type { Readable } from 'node:stream'
import type { Freshness } from '../domain/freshness.ts'
import type { ListedFile } from '../domain/listed-file.ts'
import type { StoredBlob, StoreFault } from './ports-upkeep.ts'

export type * from './ports-build.ts'
export type * from './ports-jobs.ts'
export type * from './ports-pages.ts'
export type * from './ports-store.ts'
export type * from './ports-upkeep.ts'

// ---------------------------------------------------------------- time

export interface Clock {
  now(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

// ---------------------------------------------------------------- blobs

/** Stored bytes, named by their sha256. What `stat` knows is whole and never changes. */
export interface BlobStore {
  /** A temporary blob to write to. Nothing of it is visible until `keep`. */
  draft(): Promise<BlobDraft>
  stat(sha256: string): Promise<{ size: number } | undefined>
  /** As `stat`, with all the bytes of a blob that has no more than `most`. */
  look(sha256: string, most: number): Promise<{ size: number; bytes?: Buffer } | undefined>
  /** Bytes `start` to `end`, both included; rejects before the first byte where the blob is absent. */
  read(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** A blob to be read piece by piece into the caller's own memory; rejects where it is absent. */
  reader(sha256: string): Promise<BlobReader>
  /**
   * Forgets a blob, if it is there; returns whether it was. Who has begun to read it reads on. With `keptBefore` only one that was kept
   * before that time, and not again since.
   */
  remove(sha256: string, only?: { keptBefore: number }): Promise<boolean>
  /** Every blob, by its digest; of those that are kept or removed meanwhile some may be among them. */
  list(): AsyncIterable<StoredBlob>
  /** Takes a blob away that is not what its name says: it is absent from then on, and its bytes stay for people to look at. */
  setAside(sha256: string): Promise<void>
  /** What is wrong with the place of the blobs itself. */
  faults(): AsyncIterable<StoreFault>
  /** Removes what drafts a dead process left behind; returns how many. Any process may call it at any time. */
  sweep(): Promise<number>
}

export interface BlobReader {
  /** Fills the buffer from this offset on; how many bytes it was, which may be fewer, and none only at the end. */
  read(into: Buffer, at: number): Promise<number>
  /** Once no read is under way any more. */
  close(): Promise<void>
}

export interface BlobDraft {
  write(chunk: Uint8Array): Promise<void>
  /**
   * The bytes written so far, and then each as it comes, but for the last `withhold`, which come after `keep`: nobody holds all of what was
   * not checked. Ends after `keep`, errors after `discard`. Any number may follow. With a `range`, both ends included, only its bytes,
   * and the end is where they end.
   */
  follow(options?: { withhold?: number | undefined; range?: { start: number; end: number } | undefined }): Readable
  /** Of the bytes written so far, before `keep`. */
  sha256(): Promise<string>
  /**
   * Hashes are complete, bytes are on disk and visible under their digest in one atomic step. With `expected`, other bytes
   * are discarded and `digest-mismatch` is thrown.
   */
  keep(expected?: string): Promise<{ sha256: string; size: number }>
  discard(reason?: Error): Promise<void>
}

// ---------------------------------------------------------------- upstream

export interface Upstream {
  /** For logs and the start's printout; without credentials. */
  readonly label: string
  /**
   * A project's page as JSON (PEP 691), only where it is another one by now when the `validator` of an earlier answer is given. `via` are
   * the servers of our kind that the question came through, comma-separated: each of them must be able to notice that it asks itself.
   * With `reload` no cache on the way may answer, and the page comes whole: the validator then tells only whose page it was.
   */
  page(project: string, validator?: string, via?: string, reload?: boolean): Promise<UpstreamPage>
  /** The list of projects as JSON, streamed. */
  list(validator?: string, via?: string): Promise<UpstreamList>
  /** The bytes of a file, or of its `.metadata`, by the absolute URL that a page named; all of them unless the question says otherwise. */
  file(url: string, question?: FileQuestion): Promise<FileAnswer>
}

/** What a module does in the side thread; `moved` are memory of the result's that nobody else has. */
export type SideWork<Task, Result> = (task: Task) => { result: Result; moved?: ArrayBuffer[] } | Promise<{ result: Result; moved?: ArrayBuffer[] }>

/** A second thread, for what would keep everybody else waiting. */
export interface SideThread {
  /** Whether so many bytes of a page are worth the way there. */
  isFor(bytes: number): boolean
  /** What a module's `sideWork` makes of a copy of `task`; the module is named by its own URL. Rejects with what it throws, and where the thread is ended by it. */
  run<Result>(module: string, task: unknown): Promise<Result>
}

export interface FileQuestion {
  signal?: AbortSignal | undefined
  /** The first and the last byte, both included: the beginning and the end of the file where absent. */
  from?: number | undefined
  to?: number | undefined
  /** Of an earlier answer: the part is wanted only where the file is still the same, and else the whole. */
  validator?: string | undefined
  /** Whose page named the URL: nothing is asked with what another upstream is asked with. Where it is not known, the one whose files are there. */
  source?: string | undefined
}

export interface FileAnswer {
  body: Readable
  /** Of the whole file; undefined where the upstream does not tell. */
  size: number | undefined
  /** Whether the part comes that was asked for; the whole may come instead of it. */
  partial: boolean
  /** Offset of the first byte that comes: 0 for the whole. */
  from: number
  /** Stands for these very bytes of the file, for a later question; undefined where there is nothing that does. */
  validator: string | undefined
}

export type UpstreamPage =
  /**
   * `url` is where the page came from after redirects: relative URLs in it are resolved against that. `sourceOf` says for `file` whose
   * page named a file; it is absent where there is one upstream alone. `files` are those of them that can be served under their digest.
   */
  | { kind: 'page'; json: Buffer; files: ListedFile[]; validator: string | undefined; url: string; freshness?: Freshness | undefined; sourceOf?: (filename: string) => string | undefined }
  /** `freshness` is absent where nothing was said of it anew. */
  | { kind: 'unchanged'; freshness?: Freshness | undefined }
  | { kind: 'absent' }

export type UpstreamList =
  | { kind: 'list'; body: Readable; validator: string | undefined; freshness?: Freshness | undefined }
  | { kind: 'unchanged'; freshness?: Freshness | undefined }

/** Files of other servers than the index, each by its URL. */
export interface RemoteFiles {
  /** The bytes as they are there. With the `validator` of an earlier answer: only where they are others by now. */
  get(url: string, validator?: string): Promise<RemoteFile>
}

export type RemoteFile =
  | { kind: 'file'; body: Readable; size: number | undefined; validator: string | undefined }
  | { kind: 'unchanged' }
  | { kind: 'absent' }
