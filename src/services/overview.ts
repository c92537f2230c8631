import type { JobState } from '../domain/job.ts'
import { parseTarget } from '../domain/target.ts'
import type { Clock, Store } from './ports.ts'
import { HEARD_WITHIN_MS, type ReadyTargets } from './ready-targets.ts'
import type { Pausing } from './pausing.ts'
import type { Overview, TargetView } from './views.ts'

export interface OverviewService {
  overview(): Promise<Overview>
  /** Those configured, and those that a worker builds for besides. */
  targets(): Promise<TargetView[]>
}

/** What was served, built and saved, and what is under way. */
export function createOverview({ store, readyTargets, pausing, targets: configured, clock, offline = false }: {
  store: Store
  readyTargets: ReadyTargets
  pausing: Pick<Pausing, 'state'>
  /** Names of the configured targets. */
  targets: string[]
  clock: Clock
  offline?: boolean
}): OverviewService {
  const { jobs, downloads, workers } = store

  return { overview, targets }

  async function overview(): Promise<Overview> {
    const { files, wheels, savedSeconds } = await downloads.totals()
    return {
      files, wheelsServed: wheels, wheelsBuilt: await downloads.built(), secondsSaved: savedSeconds,
      queued: await builds('queued'), running: await builds('running'), failed: await builds('failed'),
      workers: (await workers.live(clock.now() - HEARD_WITHIN_MS)).length,
      targets: await targets(),
      offline,
      ...await pausing.state(),
    }
  }

  /** METADATA takes moments, and mostly comes of a build that is counted. */
  async function builds(state: JobState): Promise<number> {
    const counts = await Promise.all((['build', 'trial', 'rebuild'] as const).map((kind) => jobs.count(state, kind)))
    return counts.reduce((sum, count) => sum + count)
  }

  async function targets(): Promise<TargetView[]> {
    const ready = await readyTargets()
    return [...new Set([...configured, ...ready.keys()])].flatMap((name) => {
      const target = parseTarget(name)
      if (!target) return []
      const image = ready.get(name) ?? null
      return { name, python: `${target.major}.${target.minor}`, cpu: target.cpu, ready: image !== null, image, configured: configured.includes(name) }
    })
  }
}
