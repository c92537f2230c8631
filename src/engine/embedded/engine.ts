/** The embedded engine: runs without containers, each command in a box of this machine's kernel. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, release } from 'node:os'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { MuslinError } from '../../errors.ts'
import type { Clock, Engine, RunSpec } from '../../services/ports.ts'
import { hardLimits } from '../hard-limits.ts'
import type { Box, BoxLimits } from './box.ts'
import { findGroups, isGroupOf, removeGroup, type Group, type Groups } from './cgroup.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { layout, lookAround } from './layout.ts'
import { createMembers } from './members.ts'
import { findBox, type Isolation } from './probe.ts'
import type { Roots } from './roots.ts'
import { createRun } from './run.ts'
import { machineProc } from './tree.ts'
import { freeUser } from './users.ts'

export interface EmbeddedOptions {
  /** Runs lie below it, one folder each; made where it is absent. */
  folder: string
  isolation: Isolation
  /** A CPython of the machine, with ctypes, that starts the boxes; not looked at where isolation is none. */
  launcher: string
  roots: Roots
  /** This process's id among those of `live`. */
  process: string
  /** Ids of the processes on this folder that are alive. Without it there is one alone, and what others made is swept. */
  live?: () => Promise<string[]>
  /** The one kind of box to use; unless given the first that works. */
  how?: Box['how']
  /** How control groups are found, if at all; unless given by this machine's own. */
  groups?: () => Promise<Groups | undefined>
  log: Logger
  clock: Clock
}

/** Enough for any compiler and linker; what more would be is a way to fill the kernel's memory. */
const FILES = 1024
/** In the folder of a run: the folders of its group, for who sweeps. */
const GROUP = 'group.json'
/** From here on the kernel counts a user's processes in each user namespace apart. */
const COUNTS_APART = [5, 14] as const

/** An engine on this machine. Nothing is asked of it before the first run, which throws `sandbox-unavailable` where no box works. */
export function createEmbeddedEngine(options: EmbeddedOptions): Engine {
  const { roots, log, clock } = options
  // Boxes are made from other folders than ours.
  const folder = resolve(options.folder)
  const root = process.getuid?.() === 0
  const users = new Set<number>()
  /** Folder names of the runs that this process still uses. */
  const running = new Set<string>()
  let finding: Promise<Box> | undefined
  let turn = 0

  const box = () => finding ??= find().catch((error: unknown) => {
    finding = undefined
    throw error
  })

  async function find(): Promise<Box> {
    const found = await findBox(options)
    if ('box' in found) return found.box
    throw new MuslinError('sandbox-unavailable', found.why)
  }

  async function create(spec: RunSpec) {
    if (spec.system) throw new MuslinError('engine-unavailable', 'the embedded engine has no system runs: it installs nothing')
    const shown = roots.root(spec.image)
    const kind = await box()
    const id = `run-${options.process}-${randomBytes(6).toString('hex')}`
    const path = join(folder, id)
    const user = root && kind.how !== 'none' ? freeUser(readFileSync('/proc/self/uid_map', 'utf8'), users) : undefined
    running.add(id)
    if (user !== undefined) users.add(user)
    const removed = () => {
      running.delete(id)
      if (user !== undefined) users.delete(user)
    }
    let group: Group | undefined
    try {
      const groups = await (options.groups ?? findGroups)()
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const machine = lookAround()
      const made = await makeFolder({ path, machine, writable: spec.writable, network: networkOf(spec), user, shownUser: kind.shownUser(user), memoryBytes: groups && root ? spec.limits.diskBytes : undefined })
      if (groups) {
        await writeFile(join(path, GROUP), JSON.stringify(groups.folders(id)))
        group = groups.make(id, spec.limits)
      }
      const mounts = layout({ machine, root: shown, etc: made.etc, places: made.places, network: networkOf(spec) })
      const base = { id, mounts, network: networkOf(spec), stage: made.stage, limits: limitsOf(spec, user), user }
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: spec.writable[0] ?? '/', ...shown.env }
      return createRun({ id, box: kind, base, env, spec, folder: made, group, root, clock, log, removed })
    } catch (error) {
      await Promise.all([group?.remove(), removeFolder(path)]).finally(removed)
      throw error instanceof MuslinError ? error : new MuslinError('engine-unavailable', `the run ${id} cannot be made: ${String(error)}`, { cause: error })
    }
  }

  function limitsOf({ limits }: RunSpec, user: number | undefined): BoxLimits {
    const hard = hardLimits()
    return {
      diskBytes: Math.min(limits.diskBytes, hard('Max file size')),
      files: Math.min(FILES, hard('Max open files')),
      processes: user !== undefined || countsApart() ? Math.min(limits.processes, hard('Max processes')) : undefined,
      cores: coresFor(limits.cpu),
    }
  }

  /** Runs take turns, so that two of them with half of the cores each do not share one half. */
  function coresFor(cpu: number): number[] | undefined {
    const all = availableParallelism()
    const count = Math.max(1, Math.ceil(cpu))
    if (count >= all) return undefined
    const first = turn
    turn = (turn + count) % all
    return Array.from({ length: count }, (_, at) => (first + at) % all)
  }

  /** Removes the folders of runs whose process is not alive, and of this one's that could not be removed before. */
  async function sweep() {
    const live = new Set(await options.live?.() ?? [])
    live.delete(options.process)
    const names = await readdir(folder).catch(() => [])
    const stale = names.filter((name) => {
      const process = /^run-(.+)-[0-9a-f]{12}$/.exec(name)?.[1]
      return process !== undefined && !running.has(name) && !live.has(process)
    })
    const done = await Promise.allSettled(stale.map(async (name) => {
      // What was in a box has ended with its server; but this one may have been started with another isolation than that.
      await createMembers({ how: 'none', proc: machineProc, keepers: () => [], id: name }).clear()
      const groups: unknown = await readFile(join(folder, name, GROUP), 'utf8').then(JSON.parse).catch(() => [])
      const left = Array.isArray(groups) ? groups.filter((one) => isGroupOf(name, one)) : []
      await removeGroup(left)
      await removeFolder(join(folder, name))
    }))
    for (const result of done) if (result.status === 'rejected') log.error({ err: result.reason }, 'a run is left behind until the next sweep')
    return done.filter(({ status }) => status === 'fulfilled').length
  }

  return {
    name: 'embedded',
    image: (source) => roots.image(source),
    digest: (source) => roots.digest(source),
    network: async () => ({ name: 'host', host: '127.0.0.1', closed: false }),
    create,
    sweep,
  }
}

/** What is not for this box alone is this machine's own network: nobody asks for an open one here. */
function networkOf({ network }: RunSpec): 'none' | 'fetch' {
  return network === 'fetch' ? network : 'none'
}

function countsApart(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > COUNTS_APART[0] || (major === COUNTS_APART[0] && minor >= COUNTS_APART[1])
}
