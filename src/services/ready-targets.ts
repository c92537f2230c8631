import type { Clock, JobStore, WorkerStore } from './ports.ts'

/** A worker that was not heard of for this long builds nothing. */
export const HEARD_WITHIN_MS = 60_000

export type ReadyTargets = () => Promise<Map<string, string>>

/** What can be built now: target → digest of its builder image. Workers tell it by their heartbeats alone, so a web process needs no engine. */
export function createReadyTargets({ workers, clock }: { workers: WorkerStore; clock: Clock }): ReadyTargets {
  return () => workers.targets(clock.now() - HEARD_WITHIN_MS)
}

/** What may be promised now: nothing during a pause, which is no reason to refuse what is asked for by hand. */
export function unlessPaused(readyTargets: ReadyTargets, jobs: Pick<JobStore, 'paused'>): ReadyTargets {
  return async () => await jobs.paused() ? new Map() : readyTargets()
}
