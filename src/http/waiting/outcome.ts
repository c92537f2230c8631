import type { Job } from '../../domain/job.ts'
import type { MuslinError } from '../../errors.ts'
import { AWAY_MS, type Hindrance } from '../../services/hindrance.ts'
import { isSettled, type JobEvents } from '../../services/job-events.ts'
import type { Clock, JobStore } from '../../services/ports.ts'

/** How often a held request looks whether its job may still be built. Its end is told at once. */
export const LOOK_MS = 5_000

/** The job once it is settled, or why nobody is to wait for it any longer. Rejects with the signal's reason. */
export type Outcome = (id: number, signal: AbortSignal) => Promise<Job | MuslinError>

/** What a held request waits for. */
export function createOutcome({ events, jobs, hindrance, clock }: {
  events: JobEvents
  jobs: Pick<JobStore, 'get'>
  hindrance: Hindrance
  clock: Clock
}): Outcome {
  return async (id, signal) => {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    try {
      return await Promise.race([events.settled(id, either), hindered(id, either)])
    } finally {
      over.abort()
    }
  }

  async function hindered(id: number, signal: AbortSignal): Promise<Job | MuslinError> {
    for (;;) {
      await clock.sleep(LOOK_MS, signal)
      const job = await jobs.get(id)
      if (job && isSettled(job)) return job
      const reason = job && await hindrance(job, AWAY_MS)
      if (reason) return reason
    }
  }
}
