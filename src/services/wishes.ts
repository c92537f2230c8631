import { PRIORITY, type Job, type JobKind, type Wish } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import type { Admission, Asker } from './admission.ts'
import { isSettled } from './job-events.ts'
import type { Clock, JobStore } from './ports.ts'
import type { Promised } from './promises.ts'
import type { ReadyTargets } from './ready-targets.ts'

export interface Wishes {
  /**
   * The job that makes a promised wheel (`build`) or its METADATA (`metadata`), for somebody who waits: made where there is none,
   * else hastened. Throws `no-builder`, and what `admission` refuses with.
   */
  now(kind: JobKind, promised: Promised, asker: Asker): Promise<Job>
  /** The build of a wheel whose METADATA was asked for by an install: it will be wanted next. Refusals are passed over in silence. */
  ahead(promised: Promised, asker: Asker): Promise<void>
  /** Without making one. */
  find(kind: JobKind, promised: Promised): Promise<Job | undefined>
}

/** Turns requests for promises into jobs. */
export function createWishes({ jobs, admission, readyTargets, clock }: {
  jobs: JobStore
  admission: Admission
  readyTargets: ReadyTargets
  clock: Clock
}): Wishes {
  return {
    async now(kind, promised, asker) {
      const wish = await wishFor(kind, promised)
      if (!wish) {
        throw new MuslinError('no-builder', `no builder is ready for ${promised.target.name}; start a worker for it, or install from /finished/simple/`)
      }
      const job = await jobs.find(wish)
      if (job && (isSettled(job) || !mayHasten(asker))) return job
      const { askedBy, bounds } = admission.admit(asker, kind)
      return (await jobs.wish({ ...wish, priority: PRIORITY.waiting, askedBy }, clock.now(), bounds)).job
    },
    async ahead(promised, asker) {
      if (!asker.client.installs) return
      const wish = await wishFor('build', promised)
      if (!wish || await jobs.find(wish)) return
      try {
        const { askedBy, bounds } = admission.admitAhead(asker)
        await jobs.wish({ ...wish, priority: PRIORITY.asked, askedBy }, clock.now(), bounds)
      } catch (error) {
        if (!isRefusal(error)) throw error
      }
    },
    async find(kind, promised) {
      const wish = await wishFor(kind, promised)
      return wish && jobs.find(wish)
    },
  }

  async function wishFor(kind: JobKind, { project, version, sdist, target }: Promised): Promise<Omit<Wish, 'priority' | 'askedBy'> | undefined> {
    const image = (await readyTargets()).get(target.name)
    return image === undefined ? undefined : { kind, project, version, sdist, target: target.name, recipe: '', image }
  }

  function mayHasten(asker: Asker): boolean {
    try {
      admission.check(asker)
      return true
    } catch {
      return false
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof MuslinError && ['start-refused', 'too-many-builds', 'queue-full'].includes(error.code)
}
