/** The ports of building: logs, engines and the builder, a part of `ports.ts`. */
import type { Readable } from 'node:stream'
import type { ApkEntry } from '../domain/apk-index.ts'
import type { Failure } from '../domain/failure.ts'
import type { Job, Step } from '../domain/job.ts'
import type { Recipe } from '../domain/recipe.ts'

/** What a build leaves behind, for ever: plain JSON (digests, versions, seconds and peak bytes per step, limits, versions of what it built with). */
export type BuildRecord = Record<string, unknown>

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
   * that is still kept. `whole`: nothing between `from` and there is missing. Undefined for a build without a log.
   */
  read(build: number, from?: number): Promise<{ body: Readable; end: number; whole: boolean } | undefined>
  /** The builds that have one, in no order. */
  list(): AsyncIterable<{ build: number; writtenAt: number }>
  remove(build: number): Promise<void>
}

export interface LogSink {
  /** Bytes are what a build says, UTF-8 cut anywhere; text is our own words. */
  write(chunk: Uint8Array | string): void
  close(): Promise<void>
}

// ---------------------------------------------------------------- engine

/** Where runs happen: docker, podman, kubernetes, this machine itself. Files go in and out as tar streams alone, so that a remote daemon works. */
export interface Engine {
  readonly name: string
  /** Makes an image ready by its content and says its digest. Throws `image-unavailable`. */
  image(image: ImageSource): Promise<{ ref: string; digest: string }>
  /** The digest that `image` would answer, without making it; undefined when a ready image is absent. */
  digest(image: ImageSource): Promise<string | undefined>
  /** Runs can have an open network that is not this machine's own. */
  readonly opensNetworks?: boolean
  /** Makes the fetch network and says at which host Muslin is reached from it. `closed`: nothing else is. */
  network(): Promise<{ name: string; host: string; closed: boolean }>
  create(run: RunSpec): Promise<Run>
  /**
   * The image that `make` makes of `base` in a system run, kept under (base, key): made once, also where it is asked for twice at a time,
   * and found again by other processes. Its digest is the same on every machine. Where `make` throws nothing is kept. Undefined on
   * engines that install nothing.
   */
  derive?(base: string, key: string, make: (run: Run) => Promise<void>): Promise<{ ref: string; digest: string }>
  /** Removes every run that bears our label and is not this process's own, and derived images beyond those kept; returns how many runs. */
  sweep(): Promise<number>
}

export type ImageSource =
  /** A ready-made image by its reference. */
  | { kind: 'ready'; ref: string }
  /**
   * A CPython of this machine by its executable, for engines without images. `compiles`: with what compiles C, or C and C++, for this
   * musl target; without it the interpreter alone, as a clean image.
   */
  | { kind: 'interpreter'; python: string; compiles?: { target: string; languages: 'c' | 'c++' } }
  /** To be built: the folder's files and the build arguments name it. */
  | { kind: 'build'; name: string; folder: string; args: Record<string, string> }

export interface RunSpec {
  image: string
  /** For people who look at the engine: job and step. */
  label: string
  /** Numeric uid:gid. */
  user: string
  /** `open`: what the engine gives by default, with a way to everywhere; only of engines that say so. */
  network: 'none' | 'fetch' | 'open'
  limits: RunLimits
  /** Writable places, in memory or on a disk as the engine can, executable; everything else is read-only. */
  writable: string[]
  /**
   * For programs of the image alone, never code of an sdist: root, whatever `user` says, with CHOWN, FOWNER, FSETID and no other
   * capability; the whole file system can be written; the network is none.
   */
  system?: boolean
}

export interface RunLimits {
  /** Cores, fractions allowed. */
  cpu: number
  memoryBytes: number
  /** What writable places hold: each of them, or all together, as the engine can tell. */
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
  usage(): Promise<Usage>
  /** Ends everything in it, whatever state it is in. Never throws; may be called twice. */
  remove(): Promise<void>
}

/** `exceeded`: the run met this limit, as far as the engine can tell; where the kernel does not refuse by itself it was ended for that. */
export interface Usage { peakBytes: number | undefined; oomKills: number; exceeded?: 'disk' | 'processes' }

export interface ExecOptions {
  env: Record<string, string>
  cwd?: string
  output: (chunk: Uint8Array) => void
  /** When it aborts the whole run is removed, since ending an exec's client stops nothing; exec then rejects with its reason. */
  signal?: AbortSignal
}

// ---------------------------------------------------------------- apks

/** The apk repositories that builder images name, proxied by Muslin. */
export interface ApkBranches {
  /** Makes repositories, by their URLs as images name them, known to all processes: their paths below Muslin's root, such as `apk/v3.21/main`, in the same order. */
  serve(repositories: string[]): Promise<string[]>
  /** What these repositories have for a CPU, by its name in Alpine; kept for a short while. Throws `upstream-unreachable` where none can be had. */
  index(paths: string[], arch: string): Promise<ApkEntry[]>
  /** The same, each repository's index as it is now; those that have none for this CPU are left out. */
  indexes(paths: string[], arch: string): Promise<ApkIndexFile[]>
}

/** An `APKINDEX.tar.gz`, signed by its repository. */
export interface ApkIndexFile {
  path: string
  entries: ApkEntry[]
  sha256: string
  size: number
  open(): Promise<Readable>
  /** A newer one was due and could not be had: when this one was fetched, and what went wrong since. */
  older?: { fetchedAt: number; why: string }
}

// ---------------------------------------------------------------- builder

/** Turns an sdist into a wheel for a target. Knows engines and images, not jobs, pages or HTTP. */
export interface Builder {
  /** Target → image digest of what can be built now. Cheap enough to ask every few seconds. */
  targets(): Promise<Map<string, string>>
  /** METADATA of what a build would give, without building. */
  metadata(work: BuildWork): Promise<Outcome<{ metadata: Buffer }>>
  build(work: BuildWork): Promise<Outcome<Built>>
  sweep(): Promise<number>
}

export interface Built {
  /** Where the finished wheel lies, under its final file name. */
  wheel: string
  metadata: Buffer
  requiresPython: string | undefined
  system: WheelSystem | undefined
  /** The wheel before its tag was set, where it is abi3 or pure: where it lies, under the name that its build gave it. */
  reusable: { path: string; filename: string } | undefined
  /** What failed first and was mended, where that was needed. */
  learnt: Learnt | undefined
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
  /** As the build itself found it; undefined where nobody knows. */
  system: WheelSystem | undefined
}

/** What a wheel has from the Alpine that it was built on. */
export interface WheelSystem {
  /** Paths of the apk repositories below Muslin's root, such as `apk/v3.21/main`. */
  repositories: string[]
  /** Alpine's name of the CPU. */
  arch: string
  /** The apks whose libraries lie in the wheel. `library` is the file's name on the system. */
  bundled: { apk: string; version: string; library: string }[]
  /** The apks that the image of its users must hold. */
  runtime: string[]
}

/** What must be known before the first try next time. */
export interface Learnt {
  recipe: Partial<Recipe>
  /** Each round that failed, and what was done about it. */
  evidence: { failure: Failure; remedy: string }[]
}

export interface BuildWork {
  job: Pick<Job, 'id' | 'project' | 'version' | 'target' | 'sdist'>
  /** The build number for the wheel's file name, one more than that of any wheel of this version and target. */
  number: number
  /** Opens the sdist's bytes, already checked against its sha256. */
  sdist: () => Promise<Readable>
  /** Upload time of the sdist, seconds since 1970, for SOURCE_DATE_EPOCH. */
  sourceDate: number
  recipe: Recipe
  /** The upstream has a pure wheel that fits already: another one would be no gain, and go before it. What a recipe expects counts more. */
  nativeOnly?: boolean
  /** What this run may use: cores, bytes, bytes, seconds. */
  limits: { cpu: number; memory: number; disk: number; time: number }
  /** A result of another target that may do for this one, and its bytes; undefined: there is none. */
  result: (KeptResult & { open: () => Promise<Readable> }) | undefined
  /** Apks that are to be those of today, whatever the image has: a rebuild is made for their sake, of what the last wheel had of them. */
  fresh?: string[]
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

export type Outcome<T> = { ok: true; value: T; record: BuildRecord } | {
  ok: false
  failure: Failure
  record: BuildRecord
  /** The engine did not answer, or took the run away: that says nothing of the project, and the job may be run again at once. */
  away?: boolean
  /** Build requirements that have no wheel, as requirement lines (PEP 508): made by jobs of their own they would let this one go on. */
  needs?: string[] | undefined
}
