import { MuslinError } from '../errors.ts'
import type { Clock } from './ports.ts'

/** Work that somebody else's server must not hold up for ever. `signal` ends it, `end` lets go of the clock. */
export interface TimeLimit { signal: AbortSignal; end(): void }

/** What is slower than this is as good as silent, whatever comes now and then: 1 kB a second. */
const LOOK_MS = 60_000
const LEAST_BYTES = 60_000

/** Ends what takes longer than so many milliseconds, with `upstream-timeout`, and what is under way when the server closes. */
export function timeLimit(ms: number, { clock, closing, what }: { clock: Clock; closing: AbortSignal; what: string }): TimeLimit {
  return limited(closing, async (ended) => {
    await clock.sleep(ms, ended)
    return new MuslinError('upstream-timeout', `the upstream did not send ${what} within ${ms / 1000} seconds; try again`)
  })
}

/** The same for what comes in too slowly. `bytes` tells how many came so far. */
export function leastRate(bytes: () => number, { clock, closing, what }: { clock: Clock; closing: AbortSignal; what: string }): TimeLimit {
  return limited(closing, async (ended) => {
    for (;;) {
      const before = bytes()
      await clock.sleep(LOOK_MS, ended)
      if (bytes() - before < LEAST_BYTES) return new MuslinError('upstream-timeout', `the upstream sent less than ${LEAST_BYTES} bytes of ${what} within ${LOOK_MS / 1000} seconds; try again`)
    }
  })
}

function limited(closing: AbortSignal, over: (ended: AbortSignal) => Promise<MuslinError>): TimeLimit {
  const limit = new AbortController()
  const ended = new AbortController()
  over(ended.signal).then((reason) => limit.abort(reason), () => {})
  return { signal: AbortSignal.any([closing, limit.signal]), end: () => ended.abort() }
}
