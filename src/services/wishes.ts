import { PRIORITY, type Job, type JobKind, type Wish } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import { isRefusal, type Admission, type Asker } from './admission.ts'
import { AWAY_MS, type Hindrance } from './hindrance.ts'
import { isSettled } from './job-events.ts'
import type { Clock, JobStore } from './ports.ts'
import type { Promised } from './promises.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Recipes } from './recipes.ts'

type Wanted = Omit<Wish, 'priority' | 'askedBy'>

export interface Wishes {
  /**
   * The job that makes a promised wheel (`build`) or its METADATA (`metadata`), for somebody who waits: made where there is none,
   * else hastened. Throws what hinders it (`hindrance.ts`), and what `admission` refuses with. `again`: who asks has waited for it before, and
   * waits on where the builders are away for a moment.
   */
  now(kind: JobKind, promised: Promised, asker: Asker, again?: boolean): Promise<Job>
  /** The build of a wheel whose METADATA was asked for by an install: it will be wanted next. Refusals are passed over in silence. */
  ahead(promised: Promised, asker: Asker): Promise<void>
  /** Without making one. */
  find(kind: JobKind, promised: Promised): Promise<Job | undefined>
}

/** Turns requests for promises into jobs. */
export function createWishes({ jobs, recipes, admission, hindrance, readyTargets, clock }: {
  jobs: JobStore
  recipes: Pick<Recipes, 'forProject'>
  admission: Admission
  hindrance: Hindrance
  readyTargets: ReadyTargets
  clock: Clock
}): Wishes {
  return {
    async now(kind, promised, asker, again = false) {
      const wish = await wishFor(kind, promised)
      const job = wish ? await found(wish) : await newest(kind, promised)
      if (job && isSettled(job)) return job
      const hindered = await hindrance(job ?? wanted(promised), again && job ? AWAY_MS : 0)
      if (hindered) throw hindered
      if (job && (!wish || job.recipe !== wish.recipe || !mayHasten(asker))) return job
      // The last worker may have left since the targets were read.
      if (!wish) throw new MuslinError('no-builder', `no builder is ready for ${promised.target.name}, run again`)
      const { askedBy, bounds } = admission.admit(asker, kind)
      return (await jobs.wish({ ...wish, priority: PRIORITY.waiting, askedBy }, clock.now(), bounds)).job
    },
    async ahead(promised, asker) {
      if (!asker.client.installs) return
      const wish = await wishFor('build', promised)
      if (!wish || await found(wish) || await hindrance(wanted(promised), 0)) return
      try {
        const { askedBy, bounds } = admission.admitAhead(asker)
        await jobs.wish({ ...wish, priority: PRIORITY.asked, askedBy }, clock.now(), bounds)
      } catch (error) {
        if (!isRefusal(error)) throw error
      }
    },
    async find(kind, promised) {
      const wish = await wishFor(kind, promised)
      return wish && found(wish)
    },
  }

  async function wishFor(kind: JobKind, { project, version, sdist, target }: Promised): Promise<Wanted | undefined> {
    const image = (await readyTargets()).get(target.name)
    if (image === undefined) return undefined
    const { digest } = (await recipes.forProject(project))(version, target.name)
    return { kind, project, version, sdist, target: target.name, recipe: digest, image }
  }

  /** While no image is known: the last job for it, whatever its image and recipe. */
  async function newest(kind: JobKind, { project, sdist, target }: Promised): Promise<Job | undefined> {
    return (await jobs.list({ project, kind })).find((job) => job.sdist.sha256 === sdist.sha256 && job.target === target.name)
  }

  /** The job of the wish; else one that runs by an older recipe: what it makes will do for this wish too. */
  async function found(wish: Wanted): Promise<Job | undefined> {
    const job = await jobs.find(wish)
    if (job) return job
    const running = await jobs.list({ project: wish.project, kind: wish.kind, state: 'running' })
    return running.find(({ sdist, target, image }) => sdist.sha256 === wish.sdist.sha256 && target === wish.target && image === wish.image)
  }

  function wanted({ project, version, target }: Promised): Pick<Job, 'project' | 'version' | 'target'> {
    return { project, version, target: target.name }
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
