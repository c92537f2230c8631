/** The ports of the database, a part of `ports.ts`. */
import type { Wish } from '../domain/job.ts'
import type { WheelEntry } from '../domain/merge.ts'
import type { RecipeLayer } from '../domain/recipe.ts'
import type { BuildRecord, KeptResult, WheelSystem } from './ports-build.ts'
import type { JobStore } from './ports-jobs.ts'
import type { PageStore } from './ports-pages.ts'
import type { CacheStore, MendStore } from './ports-upkeep.ts'

// ---------------------------------------------------------------- what is kept in the database

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
  /** The releases that have a wheel for a target. */
  releases(target: string): Promise<{ project: string; version: string }[]>
  wheels(project: string): Promise<BuiltWheel[]>
  wheel(sha256: string, filename: string): Promise<BuiltWheel | undefined>
  /** The wheel built from this sdist for this target under this build number. */
  built(sdist: string, target: string, number: number): Promise<BuiltWheel | undefined>
  /**
   * One transaction: the wheel, its job `built`, its build's end and record. Where one of its name is there already that one stays, and
   * the job and its build end all the same. Returns false, and stores nothing, when the
   * worker has lost the job's lease: somebody else finishes it.
   */
  publish(wheel: BuiltWheel, job: { id: number; worker: string; metadataChanged: boolean }, record: BuildRecord, now: number): Promise<boolean>
}

/** METADATA by (sdist, target), before there is a wheel: the blob's sha256. Once there is one it is the wheel's, and `set` changes nothing. */
export interface MetadataStore {
  get(sdist: string, target: string): Promise<string | undefined>
  set(sdist: string, target: string, sha256: string): Promise<void>
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
  /** By their ids: later ones go over earlier ones. */
  of(project: string): Promise<StoredRecipe[]>
  all(): Promise<StoredRecipe[]>
  /** What the answer for the project's page is may change by each of these. */
  add(recipe: Omit<StoredRecipe, 'id'>): Promise<StoredRecipe>
  remove(id: number): Promise<boolean>
  /**
   * Each in the place of those of its project, origin, versions and targets, all of them in one transaction; returns them with their ids.
   * One in the place of another has its id, and so its turn among the rest, unless one that is given before it comes after that.
   */
  replace(recipes: Omit<StoredRecipe, 'id'>[]): Promise<StoredRecipe[]>
  /** `replace` with what `made` makes of all that a project has, in the same transaction: it must not wait for anything. */
  change(project: string, made: (stored: StoredRecipe[]) => Omit<StoredRecipe, 'id'>[]): Promise<StoredRecipe[]>
}

/** The recipes that come with Muslin: one file a project, as TOML. They do not change while a process runs. */
export interface BuiltInRecipes {
  /** Normalized names of the projects that have one, sorted. */
  projects(): Promise<string[]>
  /** The file of a project, and its name for people; undefined where there is none. */
  read(project: string): Promise<{ name: string; text: string } | undefined>
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

/** Workers tell what they can build: a web process knows its targets from here alone. */
export interface WorkerStore {
  /** `targets`: target → digest of its builder image. */
  beat(worker: string, targets: Record<string, string>, now: number): Promise<void>
  /** Workers heard of since `since`. */
  live(since: number): Promise<string[]>
  /** Union over the workers heard of since `since`. */
  targets(since: number): Promise<Map<string, string>>
  /** When a worker, gone by now or not, last told of this target. */
  heard(target: string): Promise<number | undefined>
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
  add(downloads: { sha256: string; filename: string; client: string; at: number; target?: string | undefined }[]): Promise<void>
  /** How often clients of a target were sent files of a release, the most wanted first. `target` is what `add` was told. */
  demand(target: string): Promise<{ project: string; version: string; downloads: number }[]>
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

/**
 * What is so now, told at once, for answers that wait for nothing: what was written before this turn of the event loop is seen, whichever process
 * wrote it, and this process's changes of pages and of the pause at once. Throws as the others reject.
 */
export interface Glance {
  /** As `Store.generation`. */
  generation(project: string): number
  /** Whether a newer build of ours replaced a wheel of this project. */
  rebuilt(project: string): boolean
  paused(): boolean
  /** As `WorkerStore.targets`. */
  targets(since: number): Map<string, string>
  /** A recorded file, built or the upstream's, and the sha256 of its `.metadata` as `UpstreamFile` has it. */
  file(sha256: string, filename: string): { project: string; metadata: string | undefined } | undefined
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
  glance: Glance
  cache: CacheStore
  mend: MendStore
  /** Changes whenever the answer for this project's page may have changed, whichever process changed it. */
  generation(project: string): Promise<number>
  close(): void
}
