/** Looks at what the processes of a run use, all together, and says when that is beyond its limits. */
import { setImmediate as breathe } from 'node:timers/promises'
import type { Clock, RunLimits } from '../../services/ports.ts'
import { SPARE_PROCESSES, type Group } from './cgroup.ts'
import { watchDisk, type Disk } from './sampler-disk.ts'
import { nameless, proportional, usedBy, type Nameless, type Proc } from './tree.ts'

/** Milliseconds between two looks, at least. */
const PAUSE_MS = 150
/** Looks take one part in so many of the time at most; those at open files, of which there may be very many, less. */
const SHARE = 5
const FILES_SHARE = 20
const OPEN_FILES_MS = 1000
/** What is too much must be so for as long: a child between fork and exec, or what is about to be given back, is no reason to end a run. */
const AGAIN_MS = 200

const MANY = 100

export type Exceeded = 'memory' | 'disk' | 'processes'

export interface Sampler {
  /** Looks on until the returned function is called; all who watch share the looks. */
  watch(): () => void
  /** Looks once more at what the run has taken for good, so that what ended soon is judged as well. */
  settle(): Promise<void>
  peakBytes(): number | undefined
}

/**
 * With a `group` the kernel counts, and only its kills are looked for; without one `members` gives the processes to look at. `disk` is the
 * one that the run writes on, where that is not limited by itself. `exceeded` is told of each look that finds more than the limits.
 */
export function createSampler({ proc, pageBytes, limits, members, group, disk, clock, exceeded }: {
  proc: Proc
  pageBytes: number
  limits: RunLimits
  members: () => number[]
  group: Pick<Group, 'figures'> | undefined
  disk: Disk | undefined
  clock: Clock
  exceeded: (what: Exceeded) => void
}): Sampler {
  let peak: number | undefined
  let kills = 0
  let hidden: Nameless = { disk: 0, memory: 0, closed: false }
  let looking: Promise<Nameless> | undefined
  let watchers = 0
  let stop = new AbortController()
  const onDisk = disk && watchDisk({ disk, limits, proc, members, openFiles, clock, exceeded: () => exceeded('disk') })

  async function lookAtGroup(): Promise<void> {
    const figures = group?.figures()
    if (!figures) return
    peak = Math.max(peak ?? 0, figures.bytes)
    if (figures.oomKills <= kills) return
    kills = figures.oomKills
    exceeded('memory')
  }

  async function lookAtProcesses(signal: AbortSignal): Promise<void> {
    const now = await usedNow()
    if (now.exceeded === undefined) return
    await clock.sleep(AGAIN_MS, signal)
    const { exceeded: again } = await usedNow()
    if (again !== undefined) exceeded(again)
  }

  async function usedNow(): Promise<{ exceeded: Exceeded | undefined }> {
    const pids = members()
    // Who they are takes ten milliseconds of a full tree, and what they use as many.
    if (pids.length > MANY) await breathe()
    const { threads, bytes, apart } = usedBy(proc, pids, pageBytes)
    let used = bytes + hidden.memory
    // Forks of one process have most of it in common, and would be counted for it each.
    if (used > limits.memoryBytes) used = await proportional(proc, apart) + hidden.memory
    peak = Math.max(peak ?? 0, used)
    return { exceeded: used > limits.memoryBytes ? 'memory' : threads > limits.processes + SPARE_PROCESSES ? 'processes' : undefined }
  }

  /** Looks that are asked for at the same time are one. */
  function openFiles(): Promise<Nameless> {
    return looking ??= nameless(proc, members()).then((found) => hidden = found).finally(() => { looking = undefined })
  }

  async function loop(look: (signal: AbortSignal) => Promise<unknown>, pause: number, share: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = clock.now()
      await look(signal).catch((error: unknown) => { if (!signal.aborted) throw error })
      await clock.sleep(Math.max(pause, (clock.now() - began) * (share - 1)), signal).catch(() => undefined)
    }
  }

  return {
    async settle() {
      await lookAtGroup()
      await onDisk?.settle()
    },
    watch() {
      if (watchers++ === 0) {
        stop = new AbortController()
        const { signal } = stop
        void loop(group ? lookAtGroup : lookAtProcesses, PAUSE_MS, SHARE, signal)
        if (!group) void loop(openFiles, OPEN_FILES_MS, FILES_SHARE, signal)
        if (onDisk) void loop(onDisk.look, PAUSE_MS, 1, signal)
      }
      return () => { if (--watchers === 0) stop.abort() }
    },
    peakBytes: () => peak,
  }
}
