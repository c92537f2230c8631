/** How commands wait for a server that may be restarted meanwhile. */
import { MuslinError } from '../errors.ts'
import type { Clock } from '../services/ports.ts'
import type { Api } from './api.ts'

export interface Waiting { api: Api; clock: Clock; signal: AbortSignal }

const RETRY_MS = 1_000
const MOST_RETRIES = 60
/** Between two looks at what changes all the time. */
const PACE_MS = 1_000

/** Asks again, for a minute, while no server answers: builds outlive a restart. Then throws what was last thrown. `away` is told of the first that got none. */
export async function patiently<T>(ask: () => Promise<T>, { clock, signal, away }: Pick<Waiting, 'clock' | 'signal'> & { away?: (error: Error) => void }): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted || !isOutage(error) || retries >= MOST_RETRIES) throw error
      if (retries === 0) away?.(error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
}

/** Whether a server that is being restarted may be what went wrong. */
export function isOutage(error: unknown): error is MuslinError {
  return error instanceof MuslinError && (error.code === 'no-server' || error.code === 'shutting-down')
}

/**
 * Looks at once, and then whenever a job may have changed, at most once a second, and after `everyMs` without news, until there is something to answer. Where events do
 * not come through, a stream that is silent for too long ends, and its end counts as a change. Throws what the look does, and the
 * signal's reason.
 */
export async function lookUntil<T>({ api, clock, signal }: Waiting, look: () => Promise<T | undefined>, everyMs?: number): Promise<T> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  let news = Promise.withResolvers<void>()
  const listening = listen()
  listening.catch(() => undefined)
  try {
    for (;;) {
      news = Promise.withResolvers<void>()
      const seen = await look()
      if (seen !== undefined) return seen
      await clock.sleep(PACE_MS, signal)
      const rested = new AbortController()
      const silence = everyMs === undefined ? news.promise : clock.sleep(everyMs - PACE_MS, AbortSignal.any([signal, rested.signal]))
      silence.catch(() => undefined)
      await Promise.race([news.promise, listening, silence]).finally(() => rested.abort())
    }
  } finally {
    over.abort()
  }

  /** Ends, with the signal's reason, only when the signal or the listener does. */
  async function listen(): Promise<never> {
    for (;;) {
      try {
        const events = await api.events(until)
        // What changed before it was listened to is seen by looking now.
        do news.resolve()
        while ((await events.next()).done !== true)
      } catch {
        // Its end is told like any news: whoever looks then sees what is wrong.
      }
      until.throwIfAborted()
      news.resolve()
      await clock.sleep(RETRY_MS, until)
    }
  }
}
