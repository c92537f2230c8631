import { PRIORITY, type Job, type JobKind, type Wish } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import { isRefusal, type Admission, type Asker } from './admission.ts'
import { isSettled } from './job-events.ts'
import type { Clock, JobStore } from './ports.ts'
import type { Promised } from './promises.ts'
import type { ReadyTargets } from './ready-targets.ts'
import { notBuilt, type Recipes } from './recipes.ts'

type Wanted = Omit<Wish, 'priority' | 'askedBy'>

export interface Wishes {
  /**
   * The job that makes a promised wheel (`build`) or its METADATA (`metadata`), for somebody who waits: made where there is none,
   * else hastened. Throws `no-builder`, `not-built-here`, and what `admission` refuses with.
   */
  now(kind: JobKind, promised: Promised, asker: Asker): Promise<Job>
  /** The build of a wheel whose METADATA was asked for by an install: it will be wanted next. Refusals are passed over in silence. */
  ahead(promised: Promised, asker: Asker): Promise<void>
  /** Without making one. */
  find(kind: JobKind, promised: Promised): Promise<Job | undefined>
}

/** Turns requests for promises into jobs. */
export function createWishes({ jobs, recipes, admission, readyTargets, clock }: {
  jobs: JobStore
  recipes: Pick<Recipes, 'forProject'>
  admission: Admission
  readyTargets: ReadyTargets
  clock: Clock
}): Wishes {
  return {
    async now(kind, promised, asker) {
      const { wish, skip } = await wishFor(kind, promised)
      if (!wish) {
        throw new MuslinError('no-builder', `no builder is ready for ${promised.target.name}; start a worker for it, or install from /finished/simple/`)
      }
      const job = await found(wish)
      if (!job && skip !== undefined) throw notBuilt(promised, skip)
      if (job && (isSettled(job) || !mayHasten(asker))) return job
      if (job && job.recipe !== wish.recipe) return job
      const { askedBy, bounds } = admission.admit(asker, kind)
      return (await jobs.wish({ ...wish, priority: PRIORITY.waiting, askedBy }, clock.now(), bounds)).job
    },
    async ahead(promised, asker) {
      if (!asker.client.installs) return
      const { wish, skip } = await wishFor('build', promised)
      if (!wish || skip !== undefined || await found(wish)) return
      try {
        const { askedBy, bounds } = admission.admitAhead(asker)
        await jobs.wish({ ...wish, priority: PRIORITY.asked, askedBy }, clock.now(), bounds)
      } catch (error) {
        if (!isRefusal(error)) throw error
      }
    },
    async find(kind, promised) {
      const { wish } = await wishFor(kind, promised)
      return wish && found(wish)
    },
  }

  async function wishFor(kind: JobKind, { project, version, sdist, target }: Promised): Promise<{ wish: Wanted | undefined; skip?: string | undefined }> {
    const image = (await readyTargets()).get(target.name)
    if (image === undefined) return { wish: undefined }
    const { recipe, digest } = (await recipes.forProject(project))(version, target.name)
    return { wish: { kind, project, version, sdist, target: target.name, recipe: digest, image }, skip: recipe.skip }
  }

  /** The job of the wish; else one that runs by an older recipe: what it makes will do for this wish too. */
  async function found(wish: Wanted): Promise<Job | undefined> {
    const job = await jobs.find(wish)
    if (job) return job
    const running = await jobs.list({ project: wish.project, kind: wish.kind, state: 'running' })
    return running.find(({ sdist, target, image }) => sdist.sha256 === wish.sdist.sha256 && target === wish.target && image === wish.image)
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
