/** Looks at what the processes of a run use, all together, and says when that is beyond its limits. */
import type { Clock, RunLimits } from '../../services/ports.ts'
import { nameless, proportional, usedBy, type Proc } from './tree.ts'

/** Milliseconds between two looks, and at most between them where looks are dear. */
const PAUSE_MS = 150
const LONGEST_MS = 600
/** Looks take one part in so many of a core. */
const SHARE = 50
/** Walks of the disk take one part in so many: they are made where much was written, or every ten seconds. */
const WALK_SHARE = 10
const WALK_MS = 10_000
const OPEN_FILES_MS = 1000
/** Where the kernel enforces the limit it does so at some more: processes of our own count too. */
const SPARE_PROCESSES = 16

export type Exceeded = 'memory' | 'disk' | 'processes'

export interface Sampler {
  /** Looks on until the returned function is called; all who watch share the looks. */
  watch(): () => void
  /** Looks at the disk once more where much was written, so that what ended soon is judged as well. */
  settle(): Promise<void>
  peakBytes(): number | undefined
}

/**
 * `members` gives the processes; `free` the free bytes of the disk, `walk` the bytes that the run's files take there, and `exceeded` is
 * told of each look that finds more than the limits. Costs about 2 % of a core; a storm of processes makes looks rarer, not dearer.
 */
export function createSampler({ proc, pageBytes, limits, members, free, walk, clock, exceeded }: {
  proc: Proc
  pageBytes: number
  limits: RunLimits
  members: () => number[]
  free: () => number
  walk: () => Promise<number>
  clock: Clock
  exceeded: (what: Exceeded) => void
}): Sampler {
  let peak: number | undefined
  let hidden = { at: Number.NEGATIVE_INFINITY, disk: 0, memory: 0 }
  const files = { bytes: 0, free: free(), at: clock.now() }
  let watchers = 0
  let stop = new AbortController()
  let walking: Promise<void> | undefined

  async function lookAtProcesses(): Promise<void> {
    const pids = members()
    const { threads, bytes } = usedBy(proc, pids, pageBytes)
    if (clock.now() - hidden.at >= OPEN_FILES_MS) hidden = { ...nameless(proc, pids), at: clock.now() }
    let used = bytes + hidden.memory
    // Forks of one process have most of it in common, and would be counted for it each.
    if (used > limits.memoryBytes) used = await proportional(proc, pids) + hidden.memory
    peak = Math.max(peak ?? 0, used)
    if (used > limits.memoryBytes) exceeded('memory')
    else if (threads > limits.processes + SPARE_PROCESSES) exceeded('processes')
  }

  /** The disk's own count of its free bytes is cheap to ask for: a walk comes where the run may have taken what is left to it. */
  async function lookAtDisk(): Promise<void> {
    const left = free()
    const perhaps = files.bytes + Math.max(0, files.free - left) + hidden.disk
    if (perhaps <= limits.diskBytes && clock.now() - files.at < WALK_MS) return
    const bytes = await walk()
    Object.assign(files, { bytes, free: left, at: clock.now() })
    hidden = { ...nameless(proc, members()), at: clock.now() }
    if (bytes + hidden.disk > limits.diskBytes) exceeded('disk')
  }

  async function loop(look: () => Promise<void>, share: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = clock.now()
      await look()
      await clock.sleep(pauseAfter(clock.now() - began, share), signal).catch(() => undefined)
    }
  }

  function settle(): Promise<void> {
    return walking ??= lookAtDisk().finally(() => { walking = undefined })
  }

  return {
    settle,
    watch() {
      if (watchers++ === 0) {
        stop = new AbortController()
        void loop(lookAtProcesses, SHARE, stop.signal)
        void loop(settle, WALK_SHARE, stop.signal)
      }
      return () => { if (--watchers === 0) stop.abort() }
    },
    peakBytes: () => peak,
  }
}

/** Milliseconds to rest after a look that took so many, one part in `share` of the time being for looks. Pure. */
export function pauseAfter(tookMs: number, share: number): number {
  const longest = share === SHARE ? LONGEST_MS : Number.POSITIVE_INFINITY
  return Math.min(longest, Math.max(PAUSE_MS, tookMs * (share - 1)))
}
