/**
 * What the processes of a run are and use, read in /proc. Synchronous: these files are memory, and a promise costs more than they do. What may
 * be many lets others run between.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as rest } from 'node:timers/promises'

/** /proc, or a test's. Each method throws where a process is gone, or not ours to read. */
export interface Proc {
  list(path: string): string[]
  read(path: string): string
  /** The same of what the kernel may take long to tell. */
  listDear(path: string): Promise<string[]>
  readDear(path: string): Promise<string>
  /** Where the link of an open file leads; for one without a name, which file it is and the bytes that it takes. */
  open(path: string): { target: string; file: string; bytes: number }
}

const NAMELESS = ' (deleted)'
/** Milliseconds at once, then as many for others: at most half of the time goes to looking. */
const SLICE_MS = 10
/** Open files looked at in one go. No build has as many; a storm of them is looked at in parts. */
const OPEN_FILES = 50_000

export const machineProc: Proc = {
  list: (path) => readdirSync(`/proc/${path}`),
  read: (path) => readFileSync(`/proc/${path}`, 'latin1'),
  listDear: (path) => readdir(`/proc/${path}`),
  readDear: (path) => readFile(`/proc/${path}`, 'latin1'),
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
  return quietly(() => proc.list(`${pid}/task`), () => []).flatMap((thread) => numbers(quietly(() => proc.read(`${pid}/task/${thread}/children`), () => '')))
}

/** The processes whose environment, as they were started, holds `mark`: what is left to tell a run by that no namespace holds. */
export function marked(proc: Proc, mark: string): number[] {
  return proc.list('.').filter((name) => /^\d+$/.test(name)).filter((pid) => quietly(() => proc.read(`${pid}/environ`), () => '').split('\0').includes(mark)).map(Number)
}

/**
 * Threads, since those are what a process limit counts, and resident bytes, in which what several share is counted for each. `apart` are
 * the processes with memory of their own: a vforked child has its parent's, which waits for it (vfork(2)). Of each waiting parent one
 * child like itself is passed over, so that lookalikes gain nothing.
 */
export function usedBy(proc: Proc, pids: number[], pageBytes: number): { threads: number; bytes: number; apart: number[] } {
  const seen = new Map(pids.flatMap((pid) => {
    // After the name, which may hold anything: state is field 3, ppid 4, num_threads 20, vsize 23, rss 24 (proc(5)).
    const fields = quietly(() => proc.read(`${pid}/stat`).replace(/^.*\)/s, ''), () => '').trim().split(' ')
    if (fields[0] === undefined || fields[0] === '') return []
    return [[pid, { waits: fields[0] === 'D', parent: Number(fields[1]), threads: Number(fields[17]), size: fields[20], bytes: Math.max(0, Number(fields[21])) * pageBytes }]]
  }))
  let threads = 0
  let bytes = 0
  const apart: number[] = []
  const borrowed = new Set<number>()
  for (const [pid, one] of seen) {
    threads += one.threads
    const parent = seen.get(one.parent)
    if (parent?.waits && parent.size === one.size && Math.abs(parent.bytes - one.bytes) < ALIKE && !borrowed.has(one.parent)) {
      borrowed.add(one.parent)
      continue
    }
    bytes += one.bytes
    apart.push(pid)
  }
  return { threads, bytes, apart }
}

/** The kernel counts pages on each core apart, and adds them up now and then. */
const ALIKE = 1 << 20

/** Bytes of the processes, what several share divided among them. Dear: the kernel walks their page tables. */
export async function proportional(proc: Proc, pids: number[]): Promise<number> {
  let bytes = 0
  for (const pid of pids) bytes += Number(/^Pss:\s+(\d+) kB/m.exec(await proc.readDear(`${pid}/smaps_rollup`).catch(() => ''))?.[1] ?? 0) * 1024
  return bytes
}

export interface Nameless { disk: number; memory: number; closed: boolean }

/**
 * What open files take that have no name any more, each counted once: of disk, and of memory (memfd). No walk finds them. `closed`: there are
 * processes that do not let us look.
 */
export async function nameless(proc: Proc, pids: number[]): Promise<Nameless> {
  const files = new Map<string, { memory: boolean; bytes: number }>()
  const breathe = breather()
  const first = Math.floor(Math.random() * pids.length)
  let closed = false
  let looked = 0
  for (const pid of [...pids.slice(first), ...pids.slice(0, first)]) {
    if (looked > OPEN_FILES) break
    const names = await proc.listDear(`${pid}/fd`).catch((error: NodeJS.ErrnoException) => {
      closed ||= error.code === 'EACCES'
      return []
    })
    for (const fd of names) {
      const open = quietly(() => proc.open(`${pid}/fd/${fd}`), () => undefined)
      if (open?.target.endsWith(NAMELESS)) files.set(open.file, { memory: open.target.startsWith('/memfd:'), bytes: open.bytes })
      await breathe()
    }
    looked += names.length
  }
  const sum = (memory: boolean) => [...files.values()].reduce((bytes, file) => bytes + (file.memory === memory ? file.bytes : 0), 0)
  return { disk: sum(false), memory: sum(true), closed }
}

/** Bytes of disk that processes map of files without a name, each file by its largest mapping; open or not. */
export async function mappedNameless(proc: Proc, pids: number[]): Promise<number> {
  const files = new Map<string, number>()
  for (const pid of pids) {
    const sizes = new Map<string, number>()
    // As proc(5) has it: from-to, permissions, offset, device, inode, path. Device 0 is memory.
    for (const [, from = '', to = '', file = ''] of (await proc.readDear(`${pid}/maps`).catch(() => '')).matchAll(/^(\w+)-(\w+) \S+ \S+ ((?!00:)\S+ [1-9]\d*) .* \(deleted\)$/gm)) {
      sizes.set(file, (sizes.get(file) ?? 0) + Number.parseInt(to, 16) - Number.parseInt(from, 16))
    }
    for (const [file, bytes] of sizes) files.set(file, Math.max(files.get(file) ?? 0, bytes))
  }
  return [...files.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** To be called often: rests after each slice of time. */
function breather(): () => Promise<void> | undefined {
  let began = performance.now()
  return () => {
    if (performance.now() - began < SLICE_MS) return undefined
    return rest(SLICE_MS).then(() => { began = performance.now() })
  }
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

function quietly<T>(read: () => T, otherwise: (error: unknown) => T): T {
  try {
    return read()
  } catch (error) {
    return otherwise(error)
  }
}
