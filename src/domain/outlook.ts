/** When queued builds begin, as far as that can be told. */

export interface Queue {
  /** How many builds run at once. */
  slots: number
  /** Of each build that runs: its job, and the seconds that are left of it. */
  running: { id: number; seconds: number }[]
  /** In the order in which they are claimed; `needs`: jobs that are built before it. */
  queued: { id: number; seconds: number; needs: number[] }[]
}

/**
 * Seconds until each queued job begins, by its id. Whatever is free takes the next one that can begin: what waits for others is passed
 * over until these are built. Memory that keeps builds apart is not foreseen.
 */
export function startTimes({ slots, running, queued }: Queue): Map<number, number> {
  const ends = new Map(running.map(({ id, seconds }) => [id, seconds]))
  const free = Array.from({ length: Math.max(slots, 1) }, () => 0)
  // Whoever runs holds a slot; of more than there are the first that ends makes room for none.
  for (const [n, { seconds }] of running.toSorted((a, b) => b.seconds - a.seconds).slice(0, free.length).entries()) free[n] = seconds
  const starts = new Map<number, number>()
  let left = queued
  while (left.length > 0) {
    const now = Math.min(...free)
    const ready = left.filter(({ needs }) => needs.every((id) => !left.some((other) => other.id === id)))
    // Only what is outside of this queue can hold all of it up.
    const next = ready.find((job) => readyAt(job, ends) <= now) ?? ready.toSorted((a, b) => readyAt(a, ends) - readyAt(b, ends))[0] ?? left[0]!
    const start = Math.max(now, readyAt(next, ends))
    starts.set(next.id, start)
    ends.set(next.id, start + next.seconds)
    free[free.indexOf(now)] = start + next.seconds
    left = left.filter((job) => job !== next)
  }
  return starts
}

function readyAt({ needs }: Queue['queued'][number], ends: Map<number, number>): number {
  return Math.max(0, ...needs.map((id) => ends.get(id) ?? 0))
}
