import { MuslinError } from '../errors.ts'
import type { Clock } from '../services/ports.ts'

const SHORTEST_MS = 3_000
const LONGEST_MS = 30_000

/**
 * Runs `ask`, which resolves with the head of an answer, unless the upstream rests. It rests for some seconds after it could not be
 * reached or did not answer in time, each time twice as long, and whoever asks meanwhile is told at once what went wrong: an upstream
 * that hangs takes its timeout from one request, not from every project. Any head, a refusal's too, ends that, and what comes after
 * the head does not matter: one page that breaks off says nothing about the others.
 */
export function createRest({ clock }: { clock: Clock }): <T>(ask: () => Promise<T>) => Promise<T> {
  let failures = 0
  let heads = 0
  let resting: { until: number; error: MuslinError } | undefined

  return async (ask) => {
    if (resting && clock.now() < resting.until) throw resting.error
    const before = heads
    try {
      const answer = await ask()
      wake()
      return answer
    } catch (error) {
      if (!isSilence(error)) wake()
      // It has answered others since this one asked: only this one page hangs.
      else if (heads === before) rest(error)
      throw error
    }
  }

  function wake(): void {
    heads += 1
    failures = 0
    resting = undefined
  }

  function rest(error: MuslinError): void {
    // Those who were asking when it fell silent fail one after another: together they are one failure.
    if (resting && clock.now() < resting.until) return
    resting = { until: clock.now() + Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures), error }
    failures += 1
  }
}

function isSilence(error: unknown): error is MuslinError {
  return error instanceof MuslinError && (error.code === 'upstream-timeout' || error.code === 'upstream-unreachable')
}
