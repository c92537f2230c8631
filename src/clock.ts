import { setTimeout } from 'node:timers/promises'
import type { Clock } from './services/ports.ts'

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    // A timer that is aborted rejects with an error of its own, which hides the reason.
    await setTimeout(ms, undefined, signal && { signal }).catch((error: unknown) => { throw signal?.aborted ? signal.reason : error })
  },
}
