/** A run of the embedded engine: a folder, and a box of its own around every command. */
import { execa } from 'execa'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { MuslinError } from '../../errors.ts'
import type { Clock, ExecOptions, Run, RunSpec, Usage } from '../../services/ports.ts'
import { lastWords } from '../cli.ts'
import { packing, reportedExit, reporting, unpacking } from '../commands.ts'
import { drain, feed, TRANSFER_MS } from '../transfer.ts'
import { began, OUTSIDE, type Box, type Inside } from './box.ts'
import type { Group } from './cgroup.ts'
import { freeOn, removeFolder, walkFolder, type RunFolder } from './folder.ts'
import { createMembers } from './members.ts'
import { createSampler, type Exceeded } from './sampler.ts'
import { machineProc, pageBytes } from './tree.ts'

type Started = ReturnType<typeof spawn>
/** After the last of a run was ended: what still holds its output then got away from isolation none, and is not waited for. */
const GIVE_UP_MS = 3000
interface Ended { exitCode: number | undefined; stderr: string; timedOut: boolean }

/**
 * The verbs of a run. `base` is what all of its commands have in common, `env` what its image sets under theirs. `removed` is called when
 * it is gone, or was given up.
 */
export function createRun({ id, box, base, env, spec, folder, group, root, clock, log, removed }: {
  id: string
  box: Box
  base: Pick<Inside, 'id' | 'mounts' | 'network' | 'stage' | 'limits' | 'user'>
  env: Record<string, string>
  spec: RunSpec
  folder: RunFolder
  /** Undefined where none can be made. */
  group: Group | undefined
  root: boolean
  clock: Clock
  log: Logger
  removed: () => void
}): Run {
  /** Each with whether it writes: reading goes on where the disk is full. */
  const running = new Map<Started, { writes: boolean; exceeded: boolean; ended: Promise<Ended> }>()
  const members = createMembers({ how: box.how, proc: machineProc, keepers: () => [...running.keys()].map(({ nodeChildProcess }) => nodeChildProcess), id })
  const exceeded = new Set<Exceeded>()
  const sampler = createSampler({
    proc: machineProc, pageBytes: pageBytes(), limits: spec.limits, members: members.pids, group, clock,
    disk: folder.inMemory ? undefined : { free: () => freeOn(folder.path), walk: () => walkFolder(folder.path, root) }, exceeded: endFor,
  })
  let removal: Promise<void> | undefined

  function endFor(what: Exceeded): void {
    exceeded.add(what)
    for (const [child, command] of running) {
      if (what === 'disk' && !command.writes) continue
      command.exceeded = true
      members.end(child.nodeChildProcess)
      void giveUp(child, command.ended)
    }
    void clear()
  }

  async function clear(): Promise<void> {
    await members.clear()
    // Its group holds what no namespace does, whatever it calls itself.
    if (box.how === 'none') await group?.empty()
  }

  async function giveUp(child: Started, ended: Promise<unknown>): Promise<void> {
    const patience = new AbortController()
    await Promise.race([ended, clock.sleep(GIVE_UP_MS, patience.signal)]).catch(() => undefined)
    patience.abort()
    if (!running.has(child)) return
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }

  function start(command: string[], options: { env?: Record<string, string>; cwd?: string; stdin?: boolean; timeout?: number; writes: boolean }) {
    if (removal || !existsSync(folder.path)) throw vanished()
    const child = spawn([...group?.entering ?? [], ...box.enclose({ ...base, env: { ...env, ...options.env }, cwd: options.cwd ?? '/', command })], options)
    const unwatch = sampler.watch()
    const ended = child.then((result) => settled(child, result)).finally(unwatch)
    const state = { writes: options.writes, exceeded: false, ended }
    running.set(child, state)
    // As a process whose end is what we make of it.
    return { stdin: child.stdin, stdout: child.stdout, kill: () => members.end(child.nodeChildProcess), then: ended.then.bind(ended), state }
  }

  /** What one command left behind is ended with it, and what it wrote is counted. */
  async function settled(child: Started, result: Awaited<Started>): Promise<Ended> {
    if (running.size === 1) await clear()
    const state = running.get(child)
    if (state?.writes && !removal) await sampler.settle()
    running.delete(child)
    return { exitCode: state?.exceeded ? 137 : result.exitCode, stderr: state?.exceeded ? '' : result.stderr, timedOut: result.timedOut }
  }

  async function put(to: string, tar: Readable) {
    const child = start(unpacking(to), { stdin: true, timeout: TRANSFER_MS, writes: true })
    const ended = await feed(child, tar)
    if (reportedExit(ended.stderr) !== 0) throw transferError('put into', to, ended)
  }

  async function get(from: string, names: string[], maxBytes: number) {
    return drain(start(packing(from, names), { timeout: TRANSFER_MS, writes: false }), maxBytes, async (ended) => {
      if (reportedExit(ended.stderr) !== 0) throw transferError('got from', from, ended)
    })
  }

  async function exec(command: string[], { env: own, cwd, output, signal }: ExecOptions) {
    if (signal?.aborted) {
      await remove()
      throw signal.reason
    }
    const child = start(reporting(command), { env: own, ...(cwd === undefined ? {} : { cwd }), writes: true })
    child.stdout.on('data', output)
    const onAbort = () => {
      child.stdout.off('data', output)
      void remove()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const ended = await child
      if (signal?.aborted) {
        await remove()
        throw signal.reason
      }
      return { exitCode: exitCodeOf(ended, child.state.exceeded) }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  function exitCodeOf(ended: Ended, ours: boolean): number {
    if (ours) return 137
    const reported = reportedExit(ended.stderr)
    if (reported !== undefined) return reported
    if (removal) throw vanished()
    if (!began(ended.stderr)) throw notMade(ended)
    // Its folder is absent, or it ended the shell around itself as well.
    return ended.exitCode || 137
  }

  function transferError(what: string, where: string, ended: Ended): MuslinError {
    if (removal) return vanished()
    const words = ended.timedOut ? `tar did not end in ${TRANSFER_MS / 60_000} minutes`
      : ended.exitCode === 137 && exceeded.has('disk') ? 'no space left in the run'
      : lastWords(ended.stderr.replace(/^muslin-began\n/, '')) || `exit code ${ended.exitCode}`
    return began(ended.stderr) || ended.exitCode === 137
      ? new MuslinError('transfer-failed', `files cannot be ${what} ${where}: ${words}; if it is full, raise limits.disk`) : notMade(ended)
  }

  function notMade(ended: Ended): MuslinError {
    // What comes after the first line is advice for a person at a terminal.
    const words = ended.stderr.split('\n')[0]?.slice(0, 300) || `exit code ${ended.exitCode}`
    return new MuslinError('sandbox-unavailable', `a box by ${box.how} cannot be made: ${words}; muslin doctor tells what this machine lacks`)
  }

  function vanished(): MuslinError {
    return new MuslinError('engine-unavailable', `the run ${id} was removed; the build is run again`)
  }

  async function usage(): Promise<Usage> {
    if (removal) return { peakBytes: undefined, oomKills: 0 }
    const other = exceeded.has('disk') ? 'disk' : exceeded.has('processes') ? 'processes' : undefined
    const counted = group?.figures()
    return {
      peakBytes: counted?.peakBytes ?? sampler.peakBytes(),
      oomKills: Math.max(counted?.oomKills ?? 0, exceeded.has('memory') ? 1 : 0),
      ...(other ? { exceeded: other } : {}),
    }
  }

  function remove(): Promise<void> {
    return removal ??= removeAll().catch((error: unknown) => {
      log.error({ run: id, err: error }, 'a run is left behind until the next sweep')
    }).finally(removed)
  }

  async function removeAll(): Promise<void> {
    for (const [child, { ended }] of running) void giveUp(child, ended)
    // One that was only just started may have no first process yet.
    while (running.size > 0) {
      for (const child of running.keys()) members.end(child.nodeChildProcess)
      await Promise.race([Promise.all([...running.values()].map(({ ended }) => ended)), clock.sleep(100)])
      await clear()
    }
    await group?.empty()
    await removeFolder(folder.path)
    await group?.remove()
  }

  return { id, put, exec, get, usage, remove }
}

function spawn([file = '', ...args]: string[], { stdin = false, timeout }: { stdin?: boolean; timeout?: number }) {
  const child = execa(file, args, {
    env: OUTSIDE,
    extendEnv: false,
    reject: false,
    cwd: '/',
    // A session of its own: no terminal to type into, and none of the signals that a terminal sends to us.
    detached: true,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false, stderr: true },
    encoding: 'utf8',
    stripFinalNewline: false,
    // What the box and the shell in it say: a few lines. Beyond that it is ended.
    maxBuffer: { stdout: 0, stderr: 1 << 20 },
    killSignal: 'SIGKILL',
    ...(timeout === undefined ? {} : { timeout }),
  })
  if (!stdin) child.stdin.end()
  return child
}
