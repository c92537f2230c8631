/** The port of the queue, a part of `ports.ts`. */
import type { Failure } from '../domain/failure.ts'
import type { ClaimedJob, Job, JobKind, JobState, Step, Wish } from '../domain/job.ts'
import type { Room } from '../domain/sizing.ts'
import type { BuildRecord } from './ports-build.ts'

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

/** What a job waits for, and the requirement that is why. */
export interface Need { job: number; project: string; version: string; requirement: string }

/** What a run found missing: the jobs that would make it, each with the requirement (PEP 508) that it is for. */
export interface Unmet {
  needs: { requirement: string; wish: Omit<Wish, 'priority' | 'askedBy'> }[]
  /** What the run itself ended with. */
  failure: Failure
  record: BuildRecord | undefined
}

/** Nothing is claimed while it lasts; what runs goes on. */
export interface Pause { reason: string | undefined; since: number }

export interface JobStore {
  /**
   * The one job for this wish, made if there is none; an existing one is raised to the wish's priority, never lowered.
   * A job that failed or was cancelled is returned as it is. `created` is false for all but the first. Throws the refusal of the first
   * of the bounds that leaves no room for a new job; what is there already is never refused.
   */
  wish(wish: Wish, now: number, bounds?: WishBound[]): Promise<{ job: Job; created: boolean }>
  /**
   * The one rebuild of this key, made, or queued anew where it is over; raised where it is queued or runs. For wishes of that kind alone:
   * what is built anew although it is there is somebody's order, and done once an order.
   */
  rebuild(wish: Wish & { kind: 'rebuild' }, now: number): Promise<{ job: Job; created: boolean }>
  /** Failed jobs that are queued again by themselves one day: from now on, today. Returns how many of these there are. */
  hasten(ids: number[], now: number): Promise<number>
  /** Without making one. */
  find(wish: Pick<Wish, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>): Promise<Job | undefined>
  get(id: number): Promise<Job | undefined>
  /** Newest first, unless another order is asked for. */
  list(filter?: JobFilter): Promise<Job[]>
  /** Jobs of this project whose failure is remembered: (sdist sha256, target, recipe, image). */
  remembered(project: string): Promise<Pick<Job, 'sdist' | 'target' | 'recipe' | 'image'>[]>
  count(state: JobState, kind?: JobKind): Promise<number>
  /**
   * The next job that is queued and waits for no other, or running with its lease over, for one of the targets (target → digest of
   * its builder image) and with that image; marked running under a lease until
   * `leaseUntil`, attempts raised, a new build made. Metadata jobs first, then by priority, then oldest. A metadata job is not claimed while the build
   * job of the same sdist, target and recipe runs, and where that one is queued, wanted and of the same image it is claimed instead, since it
   * learns METADATA on its way, unless a build of a higher priority waits. None at all during a pause. With `room` a job, unless it is a metadata job, is passed over while it is not expected to
   * fit, for `PASSING_MS` at most: then nothing that comes after it is claimed. One transaction.
   */
  claim(worker: string, want: { kinds: JobKind[]; targets: Record<string, string>; room?: Room }, now: number, leaseUntil: number): Promise<ClaimedJob | undefined>
  /**
   * A run is named by its build: a worker that lost a job and claimed it again has two runs of it, and only the newest counts.
   * False when the lease was lost (or the job cancelled): the worker stops.
   */
  heartbeat(build: number, leaseUntil: number): Promise<boolean>
  /** The run begins this step. */
  step(build: number, step: Step, now: number): Promise<void>
  /**
   * Ends a run; a build's ends its queued metadata job with it, and all but a trial's and a rebuild's are remembered. Those that wait for the job fail with it.
   * False when the lease was lost: nothing was written. `retryAt`: when it is queued again by itself.
   */
  fail(build: number, failure: Failure, record: BuildRecord | undefined, now: number, retryAt?: number): Promise<boolean>
  /**
   * Ends a run whose job must wait for others: these are made, or raised to its priority, and it stays queued without an attempt counted,
   * not to be claimed until they are built; its queued metadata job waits likewise. When one of them fails it fails too. Those whose
   * wheel came while it ran are waited for no more. `refused`: what the job fails of instead, nothing was written: one of them failed
   * before, or waits for this very sdist, by whatever detour, or a bound of `domain/needs.ts` is reached. One transaction.
   */
  waitFor(build: number, unmet: Unmet, now: number): Promise<'waits' | 'lost' | { refused: Failure }>
  /** What each of these jobs waits for. */
  waitsFor(ids: number[]): Promise<Map<number, Need[]>>
  /** Success without a new wheel: a metadata job's, which is remembered as it was before, a build's whose wheel was there already, or a trial's. */
  done(build: number, record: BuildRecord | undefined, now: number): Promise<boolean>
  /**
   * Gives a job that is queued, runs or was built another recipe's digest, and a queued one its attempts anew; what it was remembered for
   * is forgotten, since that was another recipe's. Where the same is wished for with that recipe already the job follows that one: its
   * run, if any, is over, it waits, and ends as that one does or did. One that failed is tried again first where the follower is not
   * remembered, and a rebuild is done anew. `kept`: nothing changed, since it has that recipe, is in another state, or was built as
   * the other one was. One transaction.
   */
  rekey(id: number, recipe: string, now: number): Promise<'changed' | 'kept' | { follows: number }>
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
  /** Queues a failed or cancelled job again and forgets its failure and attempts, a build's with those of its metadata job: a person's wish. */
  retry(id: number, now: number): Promise<Job | undefined>
  /** Ends a queued or running job; all but a trial are remembered like a failure, since wishing does not start them again. */
  cancel(id: number, now: number): Promise<Job | undefined>
  build(id: number): Promise<Build | undefined>
  /** Runs of a job, newest first. */
  builds(job: number, limit: number): Promise<Build[]>
  /** Seconds that the newest successful builds of this project took, newest first: those for this target, or where there are none those for all others. */
  history(project: string, target: string): Promise<number[]>
  /** How many queued jobs are claimed before each of these where a worker takes all of them, as things stand; those that are queued, by id. */
  ahead(ids: number[]): Promise<Map<number, number>>
  /** Builds of all kinds that run, and the first of those that are queued, in the order of claims, each with the jobs that it waits for. */
  outlook(most: number): Promise<{ running: { id: number; project: string; target: string; startedAt: number }[]; queued: { id: number; project: string; target: string; needs: number[] }[] }>
  /** When the failed job is queued again by itself. */
  retryAt(id: number): Promise<number | undefined>
  /** Whether something runs, under a lease, that ends this job: itself, what it waits for by whatever detour, or the build that a metadata job is answered by. */
  underWay(id: number, now: number): Promise<boolean>
  /** Begins a pause, in all processes and after restarts too. One that lasts already goes on since then, for this reason if one is given; an empty one takes it away. */
  pause(reason: string | undefined, now: number): Promise<Pause>
  /** False where there was no pause. */
  resume(): Promise<boolean>
  paused(): Promise<Pause | undefined>
  /** Calls back soon after anything may have changed, whichever process changed it; returns how to stop. */
  watch(changed: () => void): () => void
}
