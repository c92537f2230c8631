/** Jobs: wishes to build, and what became of them. */
import type { Failure } from './failure.ts'

/**
 * A trial is a build whose wheel is verified and tried, but neither kept nor listed; it changes nothing that others are told. A rebuild
 * is made although a wheel is there, and gives another one with the next build number; where it fails, what is there stays.
 */
export type JobKind = 'metadata' | 'build' | 'trial' | 'rebuild'

/** Higher goes first. A metadata job goes before every build job, whatever its priority. */
export const PRIORITY = { rebuild: 0, background: 10, prebuild: 20, asked: 30, waiting: 40 } as const
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY]

/** By this name what a person with the admin's token asked for is known. */
export const ADMIN = 'admin'

/** Stands as the asker of jobs that nobody asked for. */
export const OURSELVES = 'muslin'

export type JobState = 'queued' | 'running' | 'built' | 'failed' | 'cancelled'

/** The steps in their order; `publish` ends with the transaction that makes the wheel visible. */
export const STEPS = ['plan', 'fetch', 'metadata', 'build', 'repair', 'verify', 'try', 'publish'] as const
export type Step = (typeof STEPS)[number]

/** What is wished for. Its key is (kind, sdist, target, recipe, image): the same wish twice is one job. */
export interface Wish {
  kind: JobKind
  project: string
  version: string
  sdist: { sha256: string; filename: string }
  target: string
  /** Digest of the recipe; the empty string while there is none. */
  recipe: string
  /** Digest of the builder image. */
  image: string
  priority: Priority
  /** The client (an address, a token's name, or ourselves) that asked first: new compiles are counted by it. */
  askedBy: string
}

export interface Job extends Omit<Wish, 'priority'> {
  id: number
  state: JobState
  priority: number
  /** Runs begun since it was made, or queued again after a failure: more than one means that workers died or gave it back. */
  attempts: number
  /** Who runs it, or ran it last. */
  worker: string | undefined
  step: Step | undefined
  /** The newest run of this job; its log is at /b/{build}. */
  build: number | undefined
  failure: Failure | undefined
  /** True once it failed and until a later build succeeded, of a metadata job too: such a release is not promised. */
  remembered: boolean
  /** The build succeeded, but its METADATA differs from what was served before (pip 26.2 stops on that). */
  metadataChanged: boolean
  /** Milliseconds since 1970. */
  createdAt: number
  startedAt: number | undefined
  finishedAt: number | undefined
}

/** A job as its worker got it, with the build that names this run, and the memory that it is expected to take where room was told. */
export type ClaimedJob = Job & { build: number; expectedBytes?: number }
