import type { Failure } from '../domain/failure.ts'
import type { Clock } from '../services/ports.ts'
import { Failed } from './failed.ts'

/** The time that a job may take. */
export interface Deadline {
  /** Aborts with the Failed that the job ends with. */
  readonly signal: AbortSignal
  /** From now on `seconds` may pass until the returned function is called; then the job is stopped by this failure. */
  start(late: Failure): () => void
  /** From now on the job's time counts: `seconds` of its project's own, and as many in all for what is fetched meanwhile. */
  count(): void
  /** The time until this is there is no time of the project's. */
  fetching<T>(use: () => Promise<T>): Promise<T>
}

/**
 * The deadline of one job, whose clock is off once `ended` aborts. A slow mirror, or another job that adds the same apks, is nothing that a
 * project should be remembered for: what is fetched has a time of its own, and ends the job as the surroundings' fault.
 */
export function createDeadline({ clock, seconds, ended }: { clock: Clock; seconds: number; ended: AbortSignal }): Deadline {
  const stopped = new AbortController()
  const left = { project: seconds * 1000, fetch: seconds * 1000 }
  const late: Record<keyof typeof left, Failure> = {
    project: { class: 'timed-out', key: `${seconds} s` },
    fetch: { class: 'infrastructure', key: `what it builds with was not fetched within ${seconds} s; check this machine's network, and the setting apkMirror` },
  }
  let counts = false
  let fetches = 0
  let pause: () => void = () => undefined

  return {
    signal: stopped.signal,
    start: (failure) => stopAfter(seconds * 1000, failure),
    count() {
      counts = true
      turn()
    },
    async fetching(use) {
      if (fetches++ === 0) turn()
      try {
        return await use()
      } finally {
        if (--fetches === 0) turn()
      }
    },
  }

  /** What passes from here on is taken from the time of whoever is at work. */
  function turn(): void {
    if (!counts) return
    pause()
    const whose = fetches > 0 ? 'fetch' : 'project'
    const since = clock.now()
    const stop = stopAfter(left[whose], late[whose])
    pause = () => {
      stop()
      left[whose] = Math.max(0, left[whose] - (clock.now() - since))
    }
  }

  function stopAfter(ms: number, failure: Failure): () => void {
    const met = new AbortController()
    clock.sleep(ms, AbortSignal.any([ended, met.signal])).then(() => stopped.abort(new Failed(failure)), () => undefined)
    return () => met.abort()
  }
}
