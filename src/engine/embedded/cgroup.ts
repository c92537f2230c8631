/** Control groups: where one can be made for a run, the kernel itself counts and bounds what is in it, whatever its code does. */
import { execa } from 'execa'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunLimits } from '../../services/ports.ts'
import { readUsage } from '../run.ts'
import { OUTSIDE } from './box.ts'
import { findHome, type Home } from './cgroup-home.ts'
import { descendants, machineProc } from './tree.ts'

export interface Group {
  /** Goes before a program and its arguments: they start within the group, with all that they start. */
  entering: [string, ...string[]]
  /** `bytes` are those in use now. */
  figures(): { bytes: number; peakBytes: number | undefined; oomKills: number }
  /** Ends all that is in it. */
  empty(): Promise<void>
  remove(): Promise<void>
}

export interface Groups {
  /** The folders of the group of this name, which need not exist. */
  folders(name: string): string[]
  /** Throws what the kernel says where it cannot be made. */
  make(name: string, limits: Pick<RunLimits, 'memoryBytes' | 'processes'>): Group
}

/** Above the limit on processes: a box and the shell around a command take some themselves. */
export const SPARE_PROCESSES = 16
const FIGURES = ['memory.max_usage_in_bytes', 'memory.oom_control', 'memory.peak', 'memory.events']
const USED = ['memory.usage_in_bytes', 'memory.current']
/** Ending and removal take milliseconds; what is left after two seconds is left to the sweep. */
const ROUNDS = 100

/** A number of 0 is the shell's own, in whatever namespace it is. */
const ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'

let groups: Promise<Groups | undefined> | undefined

/** Whether the kernel itself bounds runs here. */
export async function cgroupsHold(): Promise<boolean> {
  return await findGroups() !== undefined
}

/** The groups of this machine, found once by making one and entering it; undefined where that fails. */
export function findGroups(): Promise<Groups | undefined> {
  return groups ??= find()
}

async function find(): Promise<Groups | undefined> {
  try {
    const family = [process.pid, ...descendants(machineProc, process.pid)]
    const home = findHome({ mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'), own: readFileSync('/proc/self/cgroup', 'utf8'), family })
    if (!home) return undefined
    const found = groupsIn(home)
    const group = found.make(`probe-${process.pid}-${randomBytes(4).toString('hex')}`, { memoryBytes: 64 << 20, processes: 16 })
    const [file, ...args] = group.entering
    const { stdout } = await execa(file, [...args, 'cat', '/proc/self/cgroup'], { env: OUTSIDE, extendEnv: false, reject: false, stdin: 'ignore', timeout: 10_000, cwd: '/' })
    await group.remove()
    return stdout.includes('/muslin-probe-') ? found : undefined
  } catch {
    return undefined
  }
}

/** Groups below a home. */
export function groupsIn(home: Home): Groups {
  const bases = home.version === 2 ? [home.folder] : [home.memory, ...(home.pids === undefined ? [] : [home.pids])]
  const folders = (name: string) => bases.map((base) => join(base, `muslin-${name}`))
  return {
    folders,
    make(name, { memoryBytes, processes }) {
      const made = folders(name)
      const [memory = '', pids = home.version === 2 ? memory : undefined] = made
      try {
        for (const folder of made) mkdirSync(folder)
        const bytes = String(Math.floor(memoryBytes))
        if (home.version === 2) {
          set(memory, 'memory.max', bytes)
          // Absent where there is no swap, or on kernels before 4.19.
          setIfThere(memory, 'memory.swap.max', '0')
          setIfThere(memory, 'memory.oom.group', '1')
        } else {
          set(memory, 'memory.limit_in_bytes', bytes)
          setIfThere(memory, 'memory.memsw.limit_in_bytes', bytes)
        }
        if (pids !== undefined) set(pids, 'pids.max', String(processes + SPARE_PROCESSES))
      } catch (error) {
        for (const folder of made.filter((path) => existsSync(path))) rmdirSync(folder)
        throw error
      }
      return {
        entering: ['sh', '-c', ENTER, 'sh', ...made, '--'],
        figures: () => ({
          bytes: Number(USED.map((file) => readQuietly(memory, file)).join('')),
          ...readUsage(FIGURES.map((file) => readQuietly(memory, file)).join('')) ?? { peakBytes: undefined, oomKills: 0 },
        }),
        empty: () => empty(made),
        remove: () => removeGroup(made),
      }
    },
  }
}

/** Ends what is in a group, and removes it. Throws where it still stands after two seconds. */
export async function removeGroup(folders: string[]): Promise<void> {
  await empty(folders)
  for (let round = 0; ; round++) {
    const left = folders.filter((folder) => existsSync(folder))
    if (left.length === 0) return
    try {
      for (const folder of left) rmdirSync(folder)
    } catch (error) {
      if (round === ROUNDS) throw error
      await sleep(20)
    }
  }
}

/** Whether a folder, as another process wrote it down, can be one of this run's group. */
export function isGroupOf(name: string, folder: unknown): folder is string {
  return typeof folder === 'string' && basename(folder) === `muslin-${name}` && existsSync(join(folder, 'cgroup.procs'))
}

async function empty(folders: string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const pids = folders.flatMap((folder) => readQuietly(folder, 'cgroup.procs').split('\n').map(Number)).filter((pid) => pid > 1 && pid !== process.pid)
    if (pids.length === 0) return
    for (const folder of folders) setIfThere(folder, 'cgroup.kill', '1')
    for (const pid of pids) kill(pid)
    await sleep(20)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone.
  }
}

function set(folder: string, file: string, value: string): void {
  writeFileSync(join(folder, file), value)
}

function setIfThere(folder: string, file: string, value: string): void {
  if (existsSync(join(folder, file))) set(folder, file, value)
}

function readQuietly(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8')
  } catch {
    return ''
  }
}
