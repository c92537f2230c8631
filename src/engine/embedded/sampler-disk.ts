/** Looks at what a run has taken of a disk that others write on too. */
import type { Clock, RunLimits } from '../../services/ports.ts'
import { filesFor, type Taken } from './folder.ts'
import { mappedNameless, type Nameless, type Proc } from './tree.ts'

/** Walks take one part in so many of the time; they are made where much was written, or every ten seconds. */
const SHARE = 10
const WALK_MS = 10_000
/** Once may be chance: a process between two users, or the end of all. */
const FAILURES = 2

export interface Disk {
  /** What is free of it, by its own count: cheap. */
  free(): Taken
  /** What the files of the run take: dear; undefined where it fails. */
  walk(): Promise<Taken | undefined>
}

/** `settle` looks for the last time, and walks at once where it must. */
export function watchDisk({ disk, limits, proc, members, openFiles, clock, exceeded }: {
  disk: Disk
  limits: RunLimits
  proc: Proc
  members: () => number[]
  openFiles: () => Promise<Nameless>
  clock: Clock
  exceeded: () => void
}): { look(): Promise<void>; settle(): Promise<void> } {
  const most = { bytes: limits.diskBytes, files: filesFor(limits.diskBytes) }
  const first = disk.free()
  /** As of the last walk; `bytes` with what has no name. */
  let known = { bytes: 0, files: 0, free: first, at: clock.now() }
  let restUntil = Number.NEGATIVE_INFINITY
  let failures = 0
  let walking: Promise<void> | undefined

  async function look(last: boolean): Promise<void> {
    const free = disk.free()
    const fall = { bytes: Math.max(0, known.free.bytes - free.bytes), files: fallen(known.free.files, free.files) }
    const alarm = known.bytes + fall.bytes > most.bytes || known.files + fall.files > most.files
    if (!alarm && clock.now() - known.at < WALK_MS) return
    const muchMore = fall.bytes > most.bytes || fall.files > most.files
    if (clock.now() < restUntil && !muchMore && !last) return
    return walking ??= walk(free).finally(() => { walking = undefined })
  }

  async function walk(free: Taken): Promise<void> {
    const began = clock.now()
    const [found, { disk: open, closed }] = await Promise.all([disk.walk(), openFiles()])
    restUntil = clock.now() + (clock.now() - began) * (SHARE - 1)
    if (!found) return failed()
    const taken = { bytes: found.bytes + open, files: found.files }
    if (taken.bytes > most.bytes || taken.files > most.files) return exceeded()
    // What the disk lacks and no walk finds may be others'. It is the run's as far as the run holds what cannot be looked at.
    const lacking = first.bytes - free.bytes - taken.bytes
    if (taken.bytes + lacking > most.bytes) {
      if (taken.bytes + Math.min(lacking, await mappedNameless(proc, members())) > most.bytes) return exceeded()
      if (closed) return failed()
    }
    failures = 0
    known = { ...taken, free, at: clock.now() }
  }

  /** What is known stays as it was, so that the next look walks again. */
  function failed(): void {
    if (++failures >= FAILURES) exceeded()
  }

  return { look: () => look(false), settle: () => look(true) }
}

/** Disks that do not count their files have none, or endlessly many. */
function fallen(before: number, now: number): number {
  return Number.isFinite(before) && Number.isFinite(now) ? Math.max(0, before - now) : 0
}
