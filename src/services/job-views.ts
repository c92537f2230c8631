import { estimateSeconds, remainingSeconds } from '../domain/estimate.ts'
import { startTimes } from '../domain/outlook.ts'
import { FAILURE_CLASSES, type Failure } from '../domain/failure.ts'
import { PRIORITY, type Job } from '../domain/job.ts'
import { pausedLine } from '../domain/reason.ts'
import { apksOf, remedyOf } from '../domain/remedy.ts'
import { MuslinError } from '../errors.ts'
import type { Build, BuiltWheel, Clock, JobFilter, Need, Store } from './ports.ts'
import { HEARD_WITHIN_MS } from './ready-targets.ts'
import { stepViews } from './step-views.ts'
import type { BuildView, FailureView, JobView, WheelView } from './views.ts'

export interface JobViews {
  /** The job as it is shown. */
  job(job: Job): Promise<JobView>
  /** Newest first unless another order is asked for, 100 where no limit is given. */
  jobs(filter?: JobFilter): Promise<JobView[]>
  /** Those with these numbers, as far as they are there. */
  some(ids: number[]): Promise<JobView[]>
  /** Throws `no-such-job`. */
  get(id: number): Promise<JobView>
  /** Throws `no-such-build`. */
  build(id: number): Promise<BuildView>
}

const PAGE = 100
/** Whoever stands further back begins some time. */
const FORESEEN = 500

interface Estimated { project: string; target: string }
type Estimate = (of: Estimated) => Promise<number | null>

interface Shared {
  estimate: Estimate
  wheels: (project: string) => Promise<BuiltWheel[]>
  ahead: Map<number, number>
  waits: Map<number, Need[]>
  starts: Map<number, number>
  paused: string | null
}

/** Jobs and builds as people and programs are shown them. */
export function createJobViews({ store, clock, workers }: {
  store: Store
  clock: Clock
  /** How many builds a worker runs at once. */
  workers: number
}): JobViews {
  return { job, jobs, some, get, build }

  async function job(job: Job): Promise<JobView> {
    const [view] = await viewsOf([job])
    return view!
  }

  async function jobs({ limit = PAGE, ...filter }: JobFilter = {}): Promise<JobView[]> {
    return viewsOf(await store.jobs.list({ ...filter, limit }))
  }

  async function some(ids: number[]): Promise<JobView[]> {
    const found = await Promise.all(ids.map((id) => store.jobs.get(id)))
    return viewsOf(found.filter((job) => job !== undefined))
  }

  async function get(id: number): Promise<JobView> {
    const found = await store.jobs.get(id)
    if (!found) throw noSuchJob(id)
    return job(found)
  }

  async function build(id: number): Promise<BuildView> {
    const found = await store.jobs.build(id)
    const job = found && await store.jobs.get(found.job)
    if (!found || !job) throw new MuslinError('no-such-build', `no build has the number ${id}; muslin jobs lists the jobs and their newest builds`)
    return {
      id: found.id, job: found.job, worker: found.worker,
      startedAt: iso(found.startedAt), finishedAt: isoOrNull(found.finishedAt),
      failure: found.failure ? failureView(found.failure) : null,
      steps: stepViews(found, job.kind, clock.now()),
      record: found.record ?? null,
    }
  }

  async function estimateOf({ project, target }: Estimated): Promise<number | null> {
    const history = await store.jobs.history(project, target)
    return history.length === 0 ? null : estimateSeconds({ history, sdistBytes: undefined })
  }

  /** What jobs of one project share is read once for a whole list, and the queue once for all its jobs. */
  async function viewsOf(jobs: Job[]): Promise<JobView[]> {
    const queued = jobs.filter(({ state }) => state === 'queued').map(({ id }) => id)
    const ahead = queued.length === 0 ? new Map<number, number>() : await store.jobs.ahead(queued)
    const waits = queued.length === 0 ? new Map<number, Need[]>() : await store.jobs.waitsFor(queued)
    const estimate = once(estimateOf, ({ project, target }) => `${project} ${target}`)
    const paused = queued.length === 0 ? null : pausedLine(await store.jobs.paused())
    const starts = queued.length === 0 || paused !== null ? new Map<number, number>() : await startsOf(estimate)
    const shared: Shared = { estimate, wheels: once((project) => store.wheels.wheels(project), (project) => project), ahead, waits, starts, paused }
    return Promise.all(jobs.map((job) => viewOf(job, shared)))
  }

  /** None while no worker is heard of. */
  async function startsOf(estimate: Estimate): Promise<Map<number, number>> {
    const live = await store.workers.live(clock.now() - HEARD_WITHIN_MS)
    if (live.length === 0) return new Map()
    const { running, queued } = await store.jobs.outlook(FORESEEN)
    const seconds = async (of: Estimated): Promise<number> => await estimate(of) ?? estimateSeconds({ history: [], sdistBytes: undefined })
    // A run that outlasts its estimate ends any moment.
    const left = async (run: (typeof running)[number]) => Math.max(1, await seconds(run) - (clock.now() - run.startedAt) / 1000)
    return startTimes({
      slots: workers * live.length,
      running: await Promise.all(running.map(async (run) => ({ id: run.id, seconds: await left(run) }))),
      queued: await Promise.all(queued.map(async (job) => ({ id: job.id, needs: job.needs, seconds: await seconds(job) }))),
    })
  }

  async function viewOf(job: Job, { estimate, wheels, ahead, waits, starts, paused }: Shared): Promise<JobView> {
    const newest = job.build === undefined ? undefined : await store.jobs.build(job.build)
    const expected = job.kind === 'metadata' ? null : await estimate(job)
    const startsIn = starts.get(job.id) ?? null
    return {
      id: job.id, kind: job.kind, project: job.project, version: job.version, target: job.target, sdist: job.sdist,
      state: job.state,
      step: job.step ?? null,
      priority: priorityName(job.priority), askedBy: job.askedBy, attempts: job.attempts, recipe: job.recipe,
      build: job.build ?? null,
      createdAt: iso(job.createdAt), startedAt: isoOrNull(job.startedAt), finishedAt: isoOrNull(job.finishedAt),
      seconds: newest ? ((newest.finishedAt ?? clock.now()) - newest.startedAt) / 1000 : null,
      estimateSeconds: expected,
      ahead: ahead.get(job.id) ?? null,
      startsInSeconds: startsIn,
      paused: job.state === 'queued' ? paused : null,
      remainingSeconds: remainingSeconds({ state: job.state, expected, startsIn, spent: (clock.now() - (job.startedAt ?? clock.now())) / 1000 }),
      waitsFor: waits.get(job.id) ?? [],
      failure: job.failure ? failureView(job.failure) : null,
      retryAt: job.state === 'failed' ? isoOrNull(await store.jobs.retryAt(job.id)) : null,
      wheel: (job.kind === 'build' || job.kind === 'rebuild') && job.state === 'built' ? await wheelView(wheelOf(job, await wheels(job.project))) : null,
    }
  }

  async function wheelView(wheel: BuiltWheel | undefined): Promise<WheelView | null> {
    if (!wheel) return null
    return {
      filename: wheel.filename, sha256: wheel.sha256, size: wheel.size,
      url: `files/${wheel.sha256}/${encodeURIComponent(wheel.filename)}`,
      tried: wasTried(await store.jobs.build(wheel.build)),
    }
  }
}

export function failureView(failure: Failure): FailureView {
  return { class: failure.class, cause: FAILURE_CLASSES[failure.class].cause(failure.key), remedy: remedyOf(failure), apks: apksOf(failure), job: failure.job ?? null }
}

export function noSuchJob(id: number): MuslinError {
  return new MuslinError('no-such-job', `no job has the number ${id}; muslin jobs lists them`)
}

/** ISO 8601 in UTC of milliseconds since 1970. */
export function iso(at: number): string {
  return new Date(at).toISOString()
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : iso(at)
}

/** The wheel of the job's own build; of a job that found one there, the newest of that release. */
function wheelOf(job: Job, wheels: BuiltWheel[]): BuiltWheel | undefined {
  return wheels.find((wheel) => wheel.build === job.build)
    ?? wheels.filter((wheel) => wheel.version === job.version && wheel.target === job.target).toSorted((a, b) => b.number - a.number)[0]
}

/** The record says it where a wheel was not tried out, as the embedded engine may leave it. */
function wasTried(build: Build | undefined): boolean {
  const said = build?.record?.['try']
  return typeof said === 'object' && said !== null && !('notTried' in said)
}

function priorityName(priority: number): string {
  return Object.entries(PRIORITY).find(([, value]) => value === priority)?.[0] ?? String(priority)
}

function once<Of, Result>(read: (of: Of) => Promise<Result>, keyOf: (of: Of) => string): (of: Of) => Promise<Result> {
  const known = new Map<string, Promise<Result>>()
  return (of) => {
    const key = keyOf(of)
    const found = known.get(key) ?? read(of)
    known.set(key, found)
    return found
  }
}
