/** What the processes of a run are and use, read in /proc. Synchronous: these files are memory, and a promise costs more than they do. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'

/** /proc, or a test's. Each method throws where a process is gone, or not ours to read. */
export interface Proc {
  list(path: string): string[]
  read(path: string): string
  /** Where the link of an open file leads; for one without a name, which file it is and the bytes that it takes. */
  open(path: string): { target: string; file: string; bytes: number }
}

const NAMELESS = ' (deleted)'

export const machineProc: Proc = {
  list: (path) => readdirSync(`/proc/${path}`),
  read: (path) => readFileSync(`/proc/${path}`, 'latin1'),
  open: (path) => {
    const target = readlinkSync(`/proc/${path}`)
    if (!target.endsWith(NAMELESS)) return { target, file: target, bytes: 0 }
    const { dev, ino, blocks } = statSync(`/proc/${path}`)
    return { target, file: `${dev}:${ino}`, bytes: blocks * 512 }
  },
}

/**
 * The processes below a process, without itself. All of a pid namespace are below its first process, whatever they do to get away:
 * orphans become its children.
 */
export function descendants(proc: Proc, pid: number): number[] {
  const found: number[] = []
  const queue = children(proc, pid)
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    found.push(next)
    queue.push(...children(proc, next))
  }
  return found
}

/** A process's children are listed by the thread that forked them. */
export function children(proc: Proc, pid: number): number[] {
  return quietly(() => proc.list(`${pid}/task`), []).flatMap((thread) => numbers(quietly(() => proc.read(`${pid}/task/${thread}/children`), '')))
}

/** The processes whose environment, as they were started, holds `mark`: what is left to tell a run by that no namespace holds. */
export function marked(proc: Proc, mark: string): number[] {
  return proc.list('.').filter((name) => /^\d+$/.test(name)).filter((pid) => quietly(() => proc.read(`${pid}/environ`), '').split('\0').includes(mark)).map(Number)
}

/** Threads, since those are what a process limit counts, and resident bytes, in which what several share is counted for each. */
export function usedBy(proc: Proc, pids: number[], pageBytes: number): { threads: number; bytes: number } {
  let threads = 0
  let bytes = 0
  for (const pid of pids) {
    // After the name, which may hold anything: state is field 3, num_threads 20, rss 24 (proc(5)).
    const fields = quietly(() => proc.read(`${pid}/stat`).replace(/^.*\)/s, ''), '').trim().split(' ')
    if (fields[0] === undefined || fields[0] === '') continue
    threads += Number(fields[17])
    bytes += Math.max(0, Number(fields[21])) * pageBytes
  }
  return { threads, bytes }
}

/** Bytes of the processes, what several share divided among them. Dear: it walks their page tables, and lets others run between. */
export async function proportional(proc: Proc, pids: number[]): Promise<number> {
  let bytes = 0
  for (const [at, pid] of pids.entries()) {
    bytes += Number(/^Pss:\s+(\d+) kB/m.exec(quietly(() => proc.read(`${pid}/smaps_rollup`), ''))?.[1] ?? 0) * 1024
    if (at % 20 === 19) await breathe()
  }
  return bytes
}

/** What open files take that have no name any more, each counted once: of disk, and of memory (memfd). No walk finds them. */
export function nameless(proc: Proc, pids: number[]): { disk: number; memory: number } {
  const files = new Map<string, { memory: boolean; bytes: number }>()
  for (const pid of pids) {
    for (const fd of quietly(() => proc.list(`${pid}/fd`), [])) {
      const open = quietly(() => proc.open(`${pid}/fd/${fd}`), undefined)
      if (open?.target.endsWith(NAMELESS)) files.set(open.file, { memory: open.target.startsWith('/memfd:'), bytes: open.bytes })
    }
  }
  const sum = (memory: boolean) => [...files.values()].reduce((bytes, file) => bytes + (file.memory === memory ? file.bytes : 0), 0)
  return { disk: sum(false), memory: sum(true) }
}

/** Bytes of a page, out of the vector that the kernel hands to each program (getauxval(3), AT_PAGESZ). */
export function pageBytes(auxv: Uint8Array = readFileSync('/proc/self/auxv')): number {
  const words = Buffer.from(auxv)
  for (let at = 0; at + 16 <= words.length; at += 16) if (words.readBigUInt64LE(at) === 6n) return Number(words.readBigUInt64LE(at + 8))
  return 4096
}

function numbers(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number)
}

function quietly<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
