/**
 * The ports: what the services need from the world, written so that a stranger could implement them.
 * Each has one contract suite in `test/contracts/` that every adapter passes. All times are milliseconds since 1970
 * unless a name says otherwise; all sha256 are lower-case hex. A method that cannot do its work throws a MuslinError.
 */
import type { Readable } from 'node:stream'
import type { Failure } from '../domain/failure.ts'
import type { ClaimedJob, Job, JobKind, JobState, Step, Wish } from '../domain/job.ts'
import type { WheelEntry } from '../domain/merge.ts'

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
  /** Bytes `start` to `end`, both included; rejects before the first byte where the blob is absent. */
  read(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** Forgets a blob, if it is there. Who has begun to read it reads on. */
  remove(sha256: string): Promise<void>
  /** Removes what drafts a dead process left behind; returns how many. Only the process that owns the store calls it, at start. */
  sweep(): Promise<number>
}

export interface BlobDraft {
  write(chunk: Uint8Array): Promise<void>
  /** The bytes written so far, and then each as it comes; ends after `keep`, errors after `discard`. Any number may follow. */
  follow(): Readable
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
   * A project's page as JSON (PEP 691), conditional when `etag` is given. `via` are the servers of our kind that the question came
   * through, comma-separated: each of them must be able to notice that it asks itself.
   */
  page(project: string, etag?: string, via?: string): Promise<UpstreamPage>
  /** The list of projects as JSON, streamed. */
  list(etag?: string, via?: string): Promise<{ kind: 'list'; body: Readable; etag: string | undefined } | { kind: 'unchanged' }>
  /** The bytes of a file, or of its `.metadata`, by the absolute URL that a page named. */
  file(url: string, signal?: AbortSignal): Promise<{ body: Readable; size: number | undefined }>
}

export type UpstreamPage =
  /** `url` is where the page came from after redirects: relative URLs in it are resolved against that. */
  | { kind: 'page'; json: Buffer; etag: string | undefined; url: string }
  | { kind: 'unchanged' }
  | { kind: 'absent' }

// ---------------------------------------------------------------- what is kept in the database

export interface StoredPage {
  project: string
  /** The upstream's JSON as received; undefined where the upstream said 404. */
  json: Buffer | undefined
  url: string
  etag: string | undefined
  fetchedAt: number
}

/** A file that an upstream page named: (sha256, filename) is its identity. */
export interface UpstreamFile {
  sha256: string
  filename: string
  project: string
  /** Absolute. */
  url: string
  /** sha256 of its `.metadata`; the empty string where the page announces one without a digest; undefined where it has none. */
  metadata: string | undefined
}

export interface PageStore {
  get(project: string): Promise<StoredPage | undefined>
  /** The page and its files in one transaction; files of older pages stay recorded. */
  put(page: StoredPage, files: UpstreamFile[]): Promise<void>
  /** The upstream said that nothing changed. */
  touch(project: string, fetchedAt: number): Promise<void>
  file(sha256: string, filename: string): Promise<UpstreamFile | undefined>
  /** Every recorded file of a project, older pages' included. */
  files(project: string): Promise<UpstreamFile[]>
  /** The digest of a fetched `.metadata` whose page gave none: from now on these bytes are its metadata. */
  setMetadata(sha256: string, filename: string, metadata: string): Promise<void>
  /** Names and blob of the project list. */
  list(): Promise<{ sha256: string; etag: string | undefined; fetchedAt: number } | undefined>
  putList(list: { sha256: string; etag: string | undefined; fetchedAt: number }): Promise<void>
}

/** A wheel that we built; its METADATA is kept as a blob. */
export interface BuiltWheel extends WheelEntry {
  project: string
  build: number
}

export interface WheelStore {
  wheels(project: string): Promise<BuiltWheel[]>
  wheel(sha256: string, filename: string): Promise<BuiltWheel | undefined>
  /** The wheel built from this sdist for this target under this build number. */
  built(sdist: string, target: string, number: number): Promise<BuiltWheel | undefined>
  /**
   * One transaction: the wheel, its job `built`, its build's end and record. Returns false, and stores nothing, when the
   * worker has lost the job's lease: somebody else finishes it.
   */
  publish(wheel: BuiltWheel, job: { id: number; worker: string; metadataChanged: boolean }, record: BuildRecord, now: number): Promise<boolean>
}

/** METADATA by (sdist, target), before there is a wheel: the blob's sha256. Once there is one it is the wheel's, and `set` changes nothing. */
export interface MetadataStore {
  get(sdist: string, target: string): Promise<string | undefined>
  set(sdist: string, target: string, sha256: string): Promise<void>
}

// ---------------------------------------------------------------- jobs

/** What a build leaves behind, for ever: plain JSON (digests, versions, seconds and peak bytes per step, limits, versions of what it built with). */
export type BuildRecord = Record<string, unknown>

export interface Build { id: number; job: number; worker: string; startedAt: number; finishedAt: number | undefined; failure: Failure | undefined; record: BuildRecord | undefined }

/** How many jobs there may be before a new one is refused, counted in the transaction that would make it: no two wishes share the last place. */
export interface WishBound {
  /** Jobs of the wish's kind: those queued, or those that its asker made since then. */
  counted: 'queued' | { since: number }
  most: number
  refusal: () => Error
}

export interface JobStore {
  /**
   * The one job for this wish, made if there is none; an existing one is raised to the wish's priority, never lowered.
   * A job that failed or was cancelled is returned as it is. `created` is false for all but the first. Throws the refusal of the first
   * of the bounds that leaves no room for a new job; what is there already is never refused.
   */
  wish(wish: Wish, now: number, bounds?: WishBound[]): Promise<{ job: Job; created: boolean }>
  /** Without making one. */
  find(wish: Pick<Wish, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>): Promise<Job | undefined>
  get(id: number): Promise<Job | undefined>
  /** Newest first. */
  list(filter?: { state?: JobState; project?: string; limit?: number }): Promise<Job[]>
  /** Jobs of this project whose failure is remembered: (sdist sha256, target, recipe, image). */
  remembered(project: string): Promise<Pick<Job, 'sdist' | 'target' | 'recipe' | 'image'>[]>
  count(state: JobState, kind?: JobKind): Promise<number>
  /**
   * The next job that is queued, or running with its lease over, for one of the targets (target → digest of its builder image) and
   * with that image; marked running under a lease until
   * `leaseUntil`, attempts raised, a new build made. Metadata jobs first, then by priority, then oldest. A metadata job is not claimed while the build
   * job of the same sdist, target and recipe runs, and where that one is queued, wanted and of the same image it is claimed instead, since it
   * learns METADATA on its way, unless a build of a higher priority waits. One transaction.
   */
  claim(worker: string, want: { kinds: JobKind[]; targets: Record<string, string> }, now: number, leaseUntil: number): Promise<ClaimedJob | undefined>
  /**
   * A run is named by its build: a worker that lost a job and claimed it again has two runs of it, and only the newest counts.
   * False when the lease was lost (or the job cancelled): the worker stops.
   */
  heartbeat(build: number, leaseUntil: number): Promise<boolean>
  step(build: number, step: Step): Promise<void>
  /** Ends a run; a build's ends its queued metadata job with it. False when the lease was lost: nothing was written. `retryAt`: when it is queued again by itself. */
  fail(build: number, failure: Failure, record: BuildRecord | undefined, now: number, retryAt?: number): Promise<boolean>
  /** Success without a new wheel: a metadata job's, or a build's whose wheel was there already. */
  done(build: number, record: BuildRecord | undefined, now: number): Promise<boolean>
  /**
   * Jobs that no worker heard of since `since` could claim, since their target has another image now, by `targets`: they get that
   * one, as new. Where a job with it is there already they wait for that and end as it does. Returns how many changed.
   */
  adopt(targets: Record<string, string>, since: number, now: number): Promise<number>
  /** METADATA of (sdist, target) is known: ends the queued metadata job for it. */
  metadataKnown(sdist: string, target: string, now: number): Promise<void>
  /**
   * Gives a running job back to the queue; its build ends without a failure. `after`: a worker that stopped in order is not
   * the job's doing, and the attempt does not count; a worker that died may be.
   */
  giveBack(build: number, after: 'stop' | 'death', now: number): Promise<void>
  /** Queues failed jobs whose `retryAt` has come, at background priority and with no attempts counted; they stay remembered. Returns how many. */
  requeue(now: number): Promise<number>
  /** Queues a failed or cancelled job again and forgets its failure and attempts: a person's wish. */
  retry(id: number, now: number): Promise<Job | undefined>
  /** Ends a queued or running job; it is remembered like a failure, since wishing does not start it again. */
  cancel(id: number, now: number): Promise<Job | undefined>
  build(id: number): Promise<Build | undefined>
  /** Seconds that earlier builds of this project took, newest first. */
  history(project: string): Promise<number[]>
  /** Calls back soon after anything may have changed, whichever process changed it; returns how to stop. */
  watch(changed: () => void): () => void
}

/** Workers tell what they can build: a web process knows its targets from here alone. */
export interface WorkerStore {
  /** `targets`: target → digest of its builder image. */
  beat(worker: string, targets: Record<string, string>, now: number): Promise<void>
  leave(worker: string): Promise<void>
  /** Workers heard of since `since`. */
  live(since: number): Promise<string[]>
  /** Union over the workers heard of since `since`. */
  targets(since: number): Promise<Map<string, string>>
}

/** Small things that must survive: instance id, signing key, hashes of tokens. */
export interface SecretStore {
  /** The value under this name, made by `make` if there is none (one winner across processes). */
  secret(name: string, make: () => string): Promise<string>
}

/** Everything that lives in the database. */
export interface Store {
  pages: PageStore
  wheels: WheelStore
  metadata: MetadataStore
  jobs: JobStore
  workers: WorkerStore
  secrets: SecretStore
  /** Changes whenever the answer for this project's page may have changed, whichever process changed it. */
  generation(project: string): Promise<number>
  close(): void
}

// ---------------------------------------------------------------- logs

/**
 * The log of each build, kept for ever; lines can be read while they are written, by any process. What is kept is fit for a
 * terminal (`cleanTerminal`): builds are strangers.
 */
export interface BuildLogs {
  /** Bytes beyond the cap are dropped from the middle: head and tail stay, with a line that says how much is missing. */
  open(build: number): Promise<LogSink>
  /**
   * What is there now, and the offset behind it in all that was ever written: from there on `from` reads what came since, all of it
   * that is still kept. Undefined for a build without a log.
   */
  read(build: number, from?: number): Promise<{ body: Readable; end: number } | undefined>
}

export interface LogSink {
  /** Bytes are what a build says, UTF-8 cut anywhere; text is our own words. */
  write(chunk: Uint8Array | string): void
  close(): Promise<void>
}

// ---------------------------------------------------------------- engine

/** Where runs happen: docker, podman, kubernetes. No bind mounts, so that a remote daemon works. */
export interface Engine {
  readonly name: string
  /** Makes an image ready by its content and says its digest. Throws `image-unavailable`. */
  image(image: ImageSource): Promise<{ ref: string; digest: string }>
  /** The digest that `image` would answer, without making it; undefined when a ready image is absent. */
  digest(image: ImageSource): Promise<string | undefined>
  /** Makes the fetch network and says at which host Muslin is reached from it. `closed`: nothing else is. */
  network(): Promise<{ name: string; host: string; closed: boolean }>
  create(run: RunSpec): Promise<Run>
  /** Removes every run that bears our label and is not this process's own; returns how many. */
  sweep(): Promise<number>
}

export type ImageSource =
  /** A ready-made image by its reference. */
  | { kind: 'ready'; ref: string }
  /** To be built: the folder's files and the build arguments name it. */
  | { kind: 'build'; name: string; folder: string; args: Record<string, string> }

export interface RunSpec {
  image: string
  /** For people who look at the engine: job and step. */
  label: string
  /** Numeric uid:gid. */
  user: string
  network: 'none' | 'fetch'
  limits: RunLimits
  /** Writable places, memory-backed, executable; everything else is read-only. */
  writable: string[]
}

export interface RunLimits {
  /** Cores, fractions allowed. */
  cpu: number
  memoryBytes: number
  /** Size of each writable place. */
  diskBytes: number
  processes: number
}

export interface Run {
  readonly id: string
  /** Unpacks a tar stream into an existing folder, as the run's user. */
  put(folder: string, tar: Readable): Promise<void>
  /** Runs a command to its end. Standard input is closed. Output goes to `output`, both streams in one. Never throws on a non-zero exit code. */
  exec(command: string[], options: ExecOptions): Promise<{ exitCode: number }>
  /** A tar stream of the named entries of a folder; the whole is at most `maxBytes`. */
  get(folder: string, names: string[], maxBytes: number): Promise<Readable>
  /** Read by the engine's own means, not by code of the run where that can be helped. */
  usage(): Promise<{ peakBytes: number | undefined; oomKills: number }>
  /** Ends everything in it, whatever state it is in. Never throws; may be called twice. */
  remove(): Promise<void>
}

export interface ExecOptions {
  env: Record<string, string>
  cwd?: string
  output: (chunk: Uint8Array) => void
  /** When it aborts the whole run is removed, since ending an exec's client stops nothing; exec then rejects with its reason. */
  signal?: AbortSignal
}

// ---------------------------------------------------------------- builder

/** Turns an sdist into a wheel for a target. Knows engines and images, not jobs, pages or HTTP. */
export interface Builder {
  /** Target → image digest of what can be built now. Cheap enough to ask every few seconds. */
  targets(): Promise<Map<string, string>>
  /** METADATA of what a build would give, without building. */
  metadata(work: BuildWork): Promise<Outcome<{ metadata: Buffer }>>
  build(work: BuildWork): Promise<Outcome<{ wheel: string; metadata: Buffer; requiresPython: string | undefined }>>
  sweep(): Promise<number>
}

export interface BuildWork {
  job: Pick<Job, 'id' | 'project' | 'version' | 'target' | 'sdist'>
  /** The build number for the wheel's file name, one more than that of any wheel of this version and target. */
  number: number
  /** Opens the sdist's bytes, already checked against its sha256. */
  sdist: () => Promise<Readable>
  /** Upload time of the sdist, seconds since 1970, for SOURCE_DATE_EPOCH. */
  sourceDate: number
  /** METADATA already known for this (sdist, target). */
  known: Buffer | undefined
  /** Called when METADATA becomes known in the middle of a build. */
  onMetadata: (metadata: Buffer) => Promise<void>
  onStep: (step: Step) => Promise<void>
  log: LogSink
  /** Aborted when the lease is lost, the job cancelled, or the server stops. */
  signal: AbortSignal
  /** A folder of the worker's own; removed by the caller. A finished wheel lies there under its final file name: `wheel` is its path. */
  scratch: string
}

export type Outcome<T> = { ok: true; value: T; record: BuildRecord } | { ok: false; failure: Failure; record: BuildRecord }
