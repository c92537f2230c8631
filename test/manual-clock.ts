import type { Clock } from '../src/services/ports.ts'

export interface ManualClock extends Clock {
  /** Lets time pass: sleepers wake in the order of their times, each with a turn of its own for what it sets off. */
  advance(ms: number): Promise<void>
  /** Sets the time of day forward, as after a machine slept: timers take no notice. */
  jump(ms: number): void
  /** Resolves as soon as `count` sleeps of `ms` have begun since the last time it was asked for. */
  began(ms: number, count?: number): Promise<void>
  /** How many sleep now. */
  sleeping(): number
}

interface Sleeper { at: number; wake: () => void }

/** A clock that stands still until it is told to go on. */
export function manualClock(start = Date.parse('2026-11-21T12:00:00Z')): ManualClock {
  let now = start
  const sleepers = new Set<Sleeper>()
  const unseen = new Map<number, number>()
  const expecting = new Set<{ ms: number; count: number; resolve: () => void }>()

  function announce(): void {
    for (const wait of expecting) {
      if ((unseen.get(wait.ms) ?? 0) < wait.count) continue
      unseen.set(wait.ms, (unseen.get(wait.ms) ?? 0) - wait.count)
      expecting.delete(wait)
      wait.resolve()
    }
  }

  return {
    now: () => now,
    sleeping: () => sleepers.size,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const end = () => { sleepers.delete(sleeper); signal?.removeEventListener('abort', aborted) }
        const aborted = () => { end(); reject(signal?.reason) }
        const sleeper = { at: now + ms, wake: () => { end(); resolve() } }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', aborted)
        unseen.set(ms, (unseen.get(ms) ?? 0) + 1)
        announce()
      })
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...sleepers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (!next) break
        now = Math.max(now, next.at)
        next.wake()
        await new Promise(setImmediate)
      }
      now = end
    },
    jump(ms) {
      now += ms
      for (const sleeper of sleepers) sleeper.at += ms
    },
    began(ms, count = 1) {
      return new Promise((resolve) => {
        expecting.add({ ms, count, resolve })
        announce()
      })
    },
  }
}
