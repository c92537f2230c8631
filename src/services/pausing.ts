import { cleanLine } from '../domain/clean.ts'
import { iso } from './job-views.ts'
import type { Clock, JobStore, Pause } from './ports.ts'
import type { PauseState } from './views.ts'

/** Pauses of all builds, as people and programs see them. What runs goes on. */
export interface Pausing {
  state(): Promise<PauseState>
  /** `reason` is shown to whoever waits, in one line. Of a pause that lasts already it becomes the reason; an empty one takes that away. */
  pause(reason?: string): Promise<PauseState>
  /** Changes nothing where there is no pause. */
  resume(): Promise<PauseState>
}

export function createPausing({ jobs, clock }: { jobs: Pick<JobStore, 'pause' | 'resume' | 'paused'>; clock: Clock }): Pausing {
  return {
    state: async () => viewOf(await jobs.paused()),
    pause: async (reason) => viewOf(await jobs.pause(reason === undefined ? undefined : cleanLine(reason), clock.now())),
    async resume() {
      await jobs.resume()
      return viewOf(undefined)
    },
  }
}

function viewOf(pause: Pause | undefined): PauseState {
  return { pause: pause ? { since: iso(pause.since), reason: pause.reason ?? null } : null }
}
