import type { Job } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, JobStore, WorkerStore } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import { notBuilt, type Recipes } from './recipes.ts'

/**
 * For so long whoever waits for a queued job is not told that its builders are gone: an engine that is restarted is back within half of it, and
 * so is a worker that was killed, once its successor has looked through the engine.
 */
export const AWAY_MS = 120_000
/** At least for so long this process must have missed them itself: a clock that jumps, as when a suspended machine wakes, makes all that was heard old. */
const MISSED_MS = 20_000

/** A job, or what would become one. */
type Wanted = Pick<Job, 'project' | 'version' | 'target'> & Partial<Pick<Job, 'id'>>

/**
 * Why nobody is to wait for this now; undefined where it may still be built, and of a job that is under way in any case. `awayMs`: for how
 * long there may have been no builder for the target. The errors are `paused`, `not-built-here`, `no-builder` and `target-gone`.
 */
export type Hindrance = (wanted: Wanted, awayMs: number) => Promise<MuslinError | undefined>

/** What may come between a wish and its build, other than its failure. */
export function createHindrance({ jobs, workers, recipes, readyTargets, targets, clock }: {
  jobs: Pick<JobStore, 'paused' | 'underWay'>
  workers: Pick<WorkerStore, 'heard'>
  recipes: Pick<Recipes, 'forProject'>
  readyTargets: ReadyTargets
  /** Names of the configured targets. */
  targets: string[]
  clock: Clock
}): Hindrance {
  /** Targets that nobody builds for, and since when that was seen here. */
  const missed = new Map<string, number>()

  return async ({ id, project, version, target }, awayMs) => {
    if (id !== undefined && await jobs.underWay(id, clock.now())) return undefined
    const pause = await jobs.paused()
    // The reason comes last, where a long line is cut.
    if (pause) return new MuslinError('paused', `builds are paused, run again later${pause.reason === undefined ? '' : `: ${pause.reason}`}`)
    const { skip } = (await recipes.forProject(project))(version, target).recipe
    if (skip !== undefined) return notBuilt({ project, version }, skip)
    if (!await isAway(target, awayMs)) return undefined
    if (targets.includes(target)) return new MuslinError('no-builder', `no builder is ready for ${target}; start a worker for it, or install from /finished/simple/`)
    return new MuslinError('target-gone', `${target} is no longer a target of this server; it has ${targets.join(', ') || 'none'}`)
  }

  async function isAway(target: string, awayMs: number): Promise<boolean> {
    if ((await readyTargets()).has(target)) {
      missed.delete(target)
      return false
    }
    const now = clock.now()
    const since = missed.get(target) ?? now
    missed.set(target, since)
    return now - (await workers.heard(target) ?? 0) >= awayMs && now - since >= Math.min(awayMs, MISSED_MS)
  }
}
