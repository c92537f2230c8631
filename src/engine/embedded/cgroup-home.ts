/** Where this process can make control groups, if anywhere. */
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Folders that groups are made in: of version 1 one for each of what is counted (processes where the kernel counts them), of version 2 one. */
export type Home = { version: 1; memory: string; pids: string | undefined } | { version: 2; folder: string }

const NEEDED = ['memory', 'pids']
/** Of version 2 a group that hands counting on to others has no processes of its own: there this server's go. */
const LEAF = 'muslin-server'

/**
 * Below the group of this process where that can be, so that what its admin set for it goes on to count for its runs; else, in version 2, beside
 * it. `mountinfo` and `own` are the texts of /proc/self/mountinfo and /proc/self/cgroup, `family` are processes that may be moved: this
 * one and its children. Undefined where nothing can be made.
 */
export function findHome({ mountinfo, own, family }: { mountinfo: string; own: string; family: number[] }): Home | undefined {
  const groups = ownGroups(mountinfo, own)
  if (groups.memory !== undefined) {
    if (!writable(groups.memory)) return undefined
    return { version: 1, memory: groups.memory, pids: groups.pids !== undefined && writable(groups.pids) ? groups.pids : undefined }
  }
  const { unified, top } = groups
  if (unified === undefined) return undefined
  if (handsOn(unified) || makeRoom(unified, family)) return { version: 2, folder: unified }
  const beside = dirname(unified)
  return unified !== top && handsOn(beside) ? { version: 2, folder: beside } : undefined
}

/** The folders of this process's own groups, as far as they are mounted here. Pure. */
export function ownGroups(mountinfo: string, own: string): { memory?: string; pids?: string; unified?: string; top?: string } {
  const found: ReturnType<typeof ownGroups> = {}
  const paths = own.trim().split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line)).map((match) => ({ counts: match?.[1]?.split(',') ?? [], path: match?.[2] ?? '' }))
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', point = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    const folderOf = (name: string) => {
      const path = paths.find(({ counts }) => counts.includes(name))?.path
      // A group outside of what is mounted begins with it.
      const below = path === undefined || path.startsWith('/..') ? '..' : relative(root, path)
      return below.startsWith('..') ? undefined : join(point, below)
    }
    if (type === 'cgroup2') {
      const folder = folderOf('')
      if (folder !== undefined) Object.assign(found, { unified: folder, top: point })
    }
    if (type !== 'cgroup') continue
    for (const name of ['memory', 'pids'] as const) {
      const folder = options.split(',').includes(name) ? folderOf(name) : undefined
      if (folder !== undefined) found[name] = folder
    }
  }
  return found
}

/** A group of version 2 whose children are counted, and where this process may make and enter them. */
function handsOn(folder: string): boolean {
  return counts(folder, 'cgroup.subtree_control') && writable(folder) && writable(join(folder, 'cgroup.procs'))
}

/** Makes a group of version 2 hand on its counting. It is left alone where processes of others are in it. */
function makeRoom(folder: string, family: number[]): boolean {
  const control = join(folder, 'cgroup.subtree_control')
  if (!counts(folder, 'cgroup.controllers') || ![folder, control, join(folder, 'cgroup.procs')].every(writable)) return false
  const pids = readQuietly(join(folder, 'cgroup.procs')).trim().split('\n').map(Number)
  if (!pids.every((pid) => family.includes(pid))) return false
  const leaf = join(folder, LEAF)
  try {
    mkdirSync(leaf)
    for (const pid of pids) move(pid, leaf)
    writeFileSync(control, NEEDED.map((name) => `+${name}`).join(' '))
    return true
  } catch {
    for (const pid of pids) move(pid, folder)
    removeQuietly(leaf)
    return false
  }
}

/** One that has ended meanwhile cannot be moved, and need not be. */
function move(pid: number, folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(pid))
  } catch {
    // What stays makes the next step fail.
  }
}

function counts(folder: string, file: string): boolean {
  const names = readQuietly(join(folder, file)).trim().split(' ')
  return NEEDED.every((name) => names.includes(name))
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function removeQuietly(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Empty, and in nobody's way.
  }
}
