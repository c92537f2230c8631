/** The ports of the database, a part of `ports.ts`. */
import type { Failure } from '../domain/failure.ts'
import type { ClaimedJob, Job, JobKind, JobState, Step, Wish } from '../domain/job.ts'
import type { WheelEntry } from '../domain/merge.ts'
import type { RecipeLayer } from '../domain/recipe.ts'
import type { BuildRecord, WheelSystem } from './ports-build.ts'

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
  /** Undefined where nobody knows: wheels of engines that install nothing. */
  system?: WheelSystem | undefined
}

export interface WheelStore {
  /** The wheels of all projects that bundle libraries of their system, newest first. */
  bundling(): Promise<BuiltWheel[]>
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

/** A wheel as it came out of a build, abi3 or pure: other targets get theirs by a new tag and a try-out. */
export interface KeptResult {
  sdist: string
  /** Digest of the recipe that it was built by. */
  recipe: string
  /** With the tags that its build gave it. */
  filename: string
  sha256: string
  size: number
  build: number
}

export interface ResultStore {
  put(result: KeptResult, now: number): Promise<void>
  /** Newest first. */
  of(sdist: string, recipe: string): Promise<KeptResult[]>
}

/** A recipe of this site. */
export interface StoredRecipe extends RecipeLayer {
  id: number
  origin: 'learnt' | 'site'
  /** Of a learnt one: the builds that taught it, plain JSON. */
  evidence: unknown
  createdBy: string
  createdAt: number
}

export interface RecipeStore {
  of(project: string): Promise<StoredRecipe[]>
  all(): Promise<StoredRecipe[]>
  /** What the answer for the project's page is may change by each of these. */
  add(recipe: Omit<StoredRecipe, 'id'>): Promise<StoredRecipe>
  remove(id: number): Promise<boolean>
}

/** A file that is proxied by its path: `apk/v3.21/main/x86_64/zlib-1.3.1-r2.apk`. */
export interface KeptFile { path: string; sha256: string; size: number; etag: string | undefined; fetchedAt: number }

export interface KeptStore {
  get(path: string): Promise<KeptFile | undefined>
  put(file: KeptFile): Promise<void>
  /** The URL of the folder that stands behind a path, as it was recorded; only recorded ones are served. */
  source(path: string): Promise<string | undefined>
  setSource(path: string, url: string): Promise<void>
}

// ---------------------------------------------------------------- jobs


export interface Build {
  id: number
  job: number
  worker: string
  startedAt: number
  finishedAt: number | undefined
  failure: Failure | undefined
  record: BuildRecord | undefined
  /** The steps that began, in their order. */
  steps: { step: Step; startedAt: number }[]
}

/** How many jobs there may be before a new one is refused, counted in the transaction that would make it: no two wishes share the last place. */
export interface WishBound {
  /** Jobs of all kinds that are queued above the priority of prebuilds, or those of the wish's kind that its asker made since then. */
  counted: 'wanted' | { since: number }
  most: number
  refusal: () => Error
}

export interface JobFilter {
  state?: JobState | undefined
  kind?: JobKind | undefined
  project?: string | undefined
  /** Only jobs with a smaller id, for the next page of the newest. */
  before?: number | undefined
  limit?: number | undefined
  /** `newest` (the default) made first, `next` in the order of claims, `ended` last ended first. */
  order?: JobOrdering | undefined
}

export type JobOrdering = 'newest' | 'next' | 'ended'

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
  /** Newest first, unless another order is asked for. */
  list(filter?: JobFilter): Promise<Job[]>
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
  /** The run begins this step. */
  step(build: number, step: Step, now: number): Promise<void>
  /** Ends a run; a build's ends its queued metadata job with it, and all but a trial's are remembered. False when the lease was lost: nothing was written. `retryAt`: when it is queued again by itself. */
  fail(build: number, failure: Failure, record: BuildRecord | undefined, now: number, retryAt?: number): Promise<boolean>
  /** Success without a new wheel: a metadata job's, which is remembered as it was before, a build's whose wheel was there already, or a trial's. */
  done(build: number, record: BuildRecord | undefined, now: number): Promise<boolean>
  /**
   * Jobs that no worker heard of since `since` could claim, since their target has another image now, by `targets`: they get that
   * one, as new. Where a job with it is there already they wait for that and end as it does. Returns how many changed.
   */
  adopt(targets: Record<string, string>, since: number, now: number): Promise<number>
  /** METADATA of (sdist, target) is known: ends the queued metadata job for it, which is remembered as it was before. */
  metadataKnown(sdist: string, target: string, now: number): Promise<void>
  /**
   * Gives a running job back to the queue; its build ends without a failure. `after`: a worker that stopped in order is not
   * the job's doing, and the attempt does not count; a worker that died may be.
   */
  giveBack(build: number, after: 'stop' | 'death', now: number): Promise<void>
  /**
   * Queues failed jobs whose `retryAt` has come, at background priority and with no attempts counted; they stay remembered. With a
   * metadata job comes its build job, where there is none: nothing but a wheel ends what is remembered. Returns how many had failed.
   */
  requeue(now: number): Promise<number>
  /** Queues a failed or cancelled job again and forgets its failure and attempts: a person's wish. */
  retry(id: number, now: number): Promise<Job | undefined>
  /** Ends a queued or running job; all but a trial are remembered like a failure, since wishing does not start them again. */
  cancel(id: number, now: number): Promise<Job | undefined>
  build(id: number): Promise<Build | undefined>
  /** Runs of a job, newest first. */
  builds(job: number, limit: number): Promise<Build[]>
  /** Seconds that earlier successful builds of this project took, newest first. */
  history(project: string): Promise<number[]>
  /** How many queued jobs are claimed before each of these where a worker takes all of them, as things stand; those that are queued, by id. */
  ahead(ids: number[]): Promise<Map<number, number>>
  /** When the failed job is queued again by itself. */
  retryAt(id: number): Promise<number | undefined>
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

/** A plan that somebody had built; what became of each line is told by its job. */
export interface StoredPrebuild { id: number; createdAt: number; askedBy: string; name: string; targets: string[]; lines: StoredPrebuildLine[] }

export interface StoredPrebuildLine {
  /** The line of the plan as it was shown. */
  plan: Record<string, unknown>
  /** The job that was made or joined; undefined where nothing was to be built, or it was left out. */
  job: number | undefined
  leftOut: boolean
}

/** A plan that is to be built: `wish` is what is to be made for a line, `again` even where that failed or was cancelled before. */
export type NewPrebuild = Omit<StoredPrebuild, 'id' | 'lines'> & { lines: (Omit<StoredPrebuildLine, 'job'> & { wish?: Wish; again?: boolean })[] }

export interface PrebuildStore {
  /** The prebuild and the jobs of its lines, as `JobStore.wish` and `retry` make them, in one transaction. */
  create(prebuild: NewPrebuild): Promise<number>
  get(id: number): Promise<StoredPrebuild | undefined>
  /** Newest first, without their lines. */
  list(limit: number): Promise<Omit<StoredPrebuild, 'lines'>[]>
}

export interface SessionStore {
  /** `idSha256` is all that is kept of the cookie, `tokenSha256` of the token that opened it. */
  create(session: { idSha256: string; tokenSha256: string; csrf: string; expiresAt: number }): Promise<void>
  /** Undefined where there is none, or it has expired by `now`. */
  get(idSha256: string, now: number): Promise<{ tokenSha256: string; csrf: string; expiresAt: number } | undefined>
  remove(idSha256: string): Promise<void>
}

/** What installers were served. */
export interface DownloadStore {
  /**
   * Counts files that were served. Of a wheel that we built, the same client counts once within an hour; each that counts adds the measured
   * seconds of its build to what was saved.
   */
  add(downloads: { sha256: string; filename: string; client: string; at: number }[]): Promise<void>
  totals(): Promise<{ files: number; wheels: number; savedSeconds: number }>
  /** Wheels that we published, in all. */
  built(): Promise<number>
}

/** Small things that must survive: instance id, signing key, hashes of tokens. */
export interface SecretStore {
  /** The value under this name, made by `make` if there is none (one winner across processes). */
  secret(name: string, make: () => string): Promise<string>
  /** Sets it, whatever was there. */
  replace(name: string, value: string): Promise<void>
}

/** Everything that lives in the database. */
export interface Store {
  pages: PageStore
  wheels: WheelStore
  metadata: MetadataStore
  jobs: JobStore
  workers: WorkerStore
  secrets: SecretStore
  prebuilds: PrebuildStore
  sessions: SessionStore
  downloads: DownloadStore
  results: ResultStore
  recipes: RecipeStore
  kept: KeptStore
  /** Changes whenever the answer for this project's page may have changed, whichever process changed it. */
  generation(project: string): Promise<number>
  close(): void
}
