import type { Clock, Glance, WorkerStore } from './ports.ts'

/** A worker that was not heard of for this long builds nothing. */
export const HEARD_WITHIN_MS = 60_000

export type ReadyTargets = () => Promise<Map<string, string>>

/** What can be built now: target → digest of its builder image. Workers tell it by their heartbeats alone, so a web process needs no engine. */
export function createReadyTargets({ workers, clock }: { workers: WorkerStore; clock: Clock }): ReadyTargets {
  return () => workers.targets(clock.now() - HEARD_WITHIN_MS)
}

/** The same, told at once. */
export interface TargetsNow {
  ready(): Map<string, string>
  /** What may be promised: nothing during a pause, which is no reason to refuse what is asked for by hand. */
  promised(): Map<string, string>
}

export function createTargetsNow({ glance, clock }: { glance: Pick<Glance, 'targets' | 'paused'>; clock: Clock }): TargetsNow {
  const ready = () => glance.targets(clock.now() - HEARD_WITHIN_MS)
  return { ready, promised: () => glance.paused() ? new Map() : ready() }
}
