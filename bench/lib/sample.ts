import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const TICKS = 100 // per second: USER_HZ is 100 on every Linux that this runs on

/** A process and all that it started, by their ids. */
function tree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = Number(stat(Number(entry))?.[1])
    if (parent > 0) children.set(parent, [...children.get(parent) ?? [], Number(entry)])
  }
  const found = [pid]
  for (const one of found) found.push(...children.get(one) ?? [])
  return found
}

/** CPU seconds that trees have used since they began, those of their ended children included. */
export function cpuSeconds(pids: number[]): number {
  let ticks = 0
  for (const one of pids.flatMap(tree)) {
    const fields = stat(one)
    // utime, stime, cutime, cstime
    if (fields) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  }
  return ticks / TICKS
}

/**
 * Bytes of memory that trees hold. One process: all that is resident, program text too. Several: each page once (PSS), as a container would count them.
 */
export function memory(pids: number[]): number {
  const all = pids.flatMap(tree)
  if (all.length === 1) return kilobytes(`/proc/${all[0]}/status`, 'VmRSS') * 1024
  return all.reduce((sum, one) => sum + kilobytes(`/proc/${one}/smaps_rollup`, 'Pss'), 0) * 1024
}

export interface Watch {
  /** The most bytes seen since it began. For a single process by the kernel's own mark, which misses nothing. */
  peak(): number
  end(): number
}

const watching = new Set<() => number>()

/** Looks at the memory of trees every tenth of a second. */
export function watchMemory(pids: number[]): Watch {
  let most = memory(pids)
  // Clearing the mark must not hide from another watch what it has not seen yet.
  for (const look of watching) look()
  clearMark(pids)
  const peak = (): number => {
    most = Math.max(most, memory(pids), mark(pids))
    return most
  }
  const timer = setInterval(peak, 100)
  watching.add(peak)
  return {
    peak,
    end() {
      clearInterval(timer)
      watching.delete(peak)
      return peak()
    },
  }
}

/** The most that a single process held since the mark was cleared; nothing for several. */
function mark(pids: number[]): number {
  const all = pids.flatMap(tree)
  return all.length === 1 ? kilobytes(`/proc/${all[0]}/status`, 'VmHWM') * 1024 : 0
}

/** Where the kernel lets us; else the mark is that of the process's whole life, which is more, never less. */
function clearMark(pids: number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // It is gone, or another user's.
    }
  }
}

function stat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may hold blanks.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function kilobytes(file: string, key: string): number {
  try {
    return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Stops trees where they are, so that nothing that they do costs another row its core. */
export function freeze(pids: number[]): void {
  for (const pid of pids.flatMap(tree)) send(pid, 'SIGSTOP')
}

export function thaw(pids: number[]): void {
  for (const pid of pids.flatMap(tree)) send(pid, 'SIGCONT')
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone.
  }
}
