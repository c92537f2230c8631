/** A container and its five verbs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { ExecOptions, Run, RunLimits, Usage } from '../services/ports.ts'
import { execArguments, getArguments, idleUser, putArguments } from './arguments.ts'
import { lastWords, whyFailed, type Cli } from './cli.ts'
import { reportedExit } from './commands.ts'
import { drain, feed, TRANSFER_MS } from './transfer.ts'

/** Refused forks, peak and kills, of cgroups version 1 and version 2: cat complains about those that are not there. */
const FIGURES = ['pids/pids.events', 'pids.events', 'memory/memory.max_usage_in_bytes', 'memory/memory.oom_control', 'memory.peak', 'memory.events'].map((file) => `/sys/fs/cgroup/${file}`)

/** What podman says on standard error, and docker on standard output, where the runtime could not start a command. */
const UNSTARTED = /OCI (runtime|permission|not found)/

/** Bytes beyond the memory limit that reading the figures of a full run may take. */
const HEADROOM = 32 << 20

/**
 * The verbs of a container that runs and idles. `user` is the numeric uid:gid of its commands, `limits` are the container's own; `remove`
 * says whether it is gone.
 */
export function createRun({ cli, id, user, limits, remove: removeIt }: {
  cli: Cli
  id: string
  user: string
  limits: Pick<RunLimits, 'memoryBytes' | 'processes'>
  remove: () => Promise<boolean>
}): Run {
  let removal: Promise<void> | undefined

  async function put(folder: string, tar: Readable) {
    const child = cli.start(putArguments(id, user, folder), { stdin: true, timeout: TRANSFER_MS })
    const ended = outcome(await feed(child, tar))
    if (reportedExit(ended.stderr) !== 0) throw await transferError('put into', folder, ended)
  }

  async function get(folder: string, names: string[], maxBytes: number) {
    const child = cli.start(getArguments(id, user, folder, names), { timeout: TRANSFER_MS })
    return drain(child, maxBytes, async (result) => {
      const ended = outcome(result)
      if (reportedExit(ended.stderr) !== 0) throw await transferError('got from', folder, ended)
    })
  }

  async function exec(command: string[], { env, cwd, output, signal }: ExecOptions) {
    if (signal?.aborted) {
      await remove()
      throw signal.reason
    }
    const child = cli.start(execArguments(id, user, command, cwd === undefined ? { env } : { env, cwd }))
    child.stdout.on('data', output)
    const aborted = Promise.withResolvers<'aborted'>()
    const onAbort = () => aborted.resolve('aborted')
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (await Promise.race([child, aborted.promise]) === 'aborted') {
        child.stdout.off('data', output)
        child.kill('SIGKILL')
        throw signal?.reason
      }
      return { exitCode: await exitCodeOf(outcome(await child)) }
    } catch (error) {
      // A signal to our whole process group ends the clients before we abort.
      if (!signal?.aborted) throw error
      await remove()
      throw signal.reason
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async function exitCodeOf(ended: Client): Promise<number> {
    const reported = reportedExit(ended.stderr)
    if (reported !== undefined) return reported
    let state = await look()
    if (state === 'running' && ended.exitCode === 137) {
      // Seen: when a container is killed, its commands end some milliseconds before the engine calls it exited.
      await sleep(500)
      state = await look()
    }
    if (state === 'out of memory') return 137
    if (state !== 'running') throw vanished(state)
    // 137: the shell was killed too, by the kernel or by the command. 126 and 127: it could not be started, such as for its folder.
    if ([126, 127, 137].includes(ended.exitCode ?? 0) && (lastWords(ended.stderr) === '' || UNSTARTED.test(ended.stderr))) return ended.exitCode ?? 0
    throw new MuslinError('engine-unavailable', whyFailed(cli, 'exec', ended))
  }

  async function look(looks = 8): Promise<'running' | 'out of memory' | 'stopped' | 'gone'> {
    const ended = await cli.run(['container', 'inspect', '--format', '{{.State.Running}} {{.State.Status}} {{.State.OOMKilled}} {{.State.ExitCode}}', id])
    if (ended.exitCode === 0) {
      const [running, status, outOfMemory, exitCode] = ended.stdout.trim().split(' ')
      if (running === 'true') return 'running'
      // Podman has yet to write down how it ended.
      if (status === 'stopped' && looks > 1) return sleep(250).then(() => look(looks - 1))
      return outOfMemory === 'true' || (cli.dialect.missesKills && exitCode === '137') ? 'out of memory' : 'stopped'
    }
    if (/no such container/i.test(ended.stderr)) return 'gone'
    throw new MuslinError('engine-unavailable', whyFailed(cli, 'inspect', ended))
  }

  function vanished(state: string): MuslinError {
    const why = 'the engine was restarted or somebody removed it; the build is run again'
    return new MuslinError('engine-unavailable', `the container ${id} is ${state}, and not by us: ${why}`)
  }

  async function transferError(what: string, folder: string, ended: Client): Promise<MuslinError> {
    const state = await look().catch((error: unknown) => error as MuslinError)
    if (state instanceof MuslinError) return state
    if (state === 'stopped' || state === 'gone') return vanished(state)
    if (reportedExit(ended.stderr) === undefined && state === 'running' && !ended.timedOut && ended.exitCode !== 137) {
      return new MuslinError('engine-unavailable', whyFailed(cli, 'exec', ended))
    }
    const words = ended.timedOut ? `tar did not end in ${TRANSFER_MS / 60_000} minutes` : lastWords(ended.stderr) || `exit code ${ended.exitCode}`
    return new MuslinError('transfer-failed', `files cannot be ${what} ${folder}: ${words}; if it is full, raise limits.disk`)
  }

  async function usage() {
    const args = ['exec', '--user', idleUser(user), id, 'cat', ...FIGURES]
    const read = async () => readUsage((await cli.run(args, { timeout: 10_000 })).stdout)
    const figures = await read()
    if (figures) return figures
    const state = await look().catch(() => 'gone')
    if (state !== 'running') return { peakBytes: undefined, oomKills: state === 'out of memory' ? 1 : 0 }
    // Writable places that are full to the memory limit leave no room even for cat.
    const more = String(limits.memoryBytes + HEADROOM)
    await cli.run(['update', '--memory', more, '--memory-swap', more, id])
    return await read() ?? { peakBytes: undefined, oomKills: 0, ...(await crowded() && { exceeded: 'processes' }) }
  }

  /** Whether what runs in it leaves no room for one process more: some runtimes need several at once to start one. */
  async function crowded(): Promise<boolean> {
    const { stdout } = await cli.run(['stats', '--no-stream', '--format', '{{.PIDs}}', id], { timeout: 10_000 })
    return Number(stdout.trim()) >= limits.processes
  }

  function remove(): Promise<void> {
    return removal ??= removeIt().then((done) => {
      // Left to the next sweep, or to the next call.
      if (!done) removal = undefined
    }, () => { removal = undefined })
  }

  return { id, put, exec, get, usage, remove }
}

/** Removes a container with all that runs in it; false, and a line in the log, where the engine does not do it. */
export async function removeContainer({ cli, id, log }: { cli: Cli; id: string; log: Logger }): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const ended = await cli.run(['rm', '--force', '--volumes', id])
    if (ended.exitCode === 0 || /no such container/i.test(ended.stderr)) return true
    if (attempt === 3) {
      log.error({ container: id, why: whyFailed(cli, 'rm', ended) }, 'a container is left behind until the next sweep')
      return false
    }
    await sleep(500)
  }
}

/**
 * Peak memory and kills out of the cgroup's files, version 1 or 2, one after the other, and whether its limit on processes was met, where
 * that file is the first; undefined where none is there.
 */
export function readUsage(text: string): Usage | undefined {
  // Of memory there is a line of that name too, but never the first.
  const refused = /^max (\d+)\n/.exec(text)?.[1]
  const peak = /^(\d+)$/m.exec(text)?.[1]
  const kills = /^oom_kill (\d+)$/m.exec(text)?.[1]
  if (peak === undefined && kills === undefined) return undefined
  return { peakBytes: peak === undefined ? undefined : Number(peak), oomKills: Number(kills ?? 0), ...(Number(refused) > 0 && { exceeded: 'processes' }) }
}

interface Client { exitCode: number | undefined; stderr: string; timedOut: boolean; missing: boolean }

function outcome(result: { exitCode?: number | undefined; stderr?: unknown; timedOut: boolean; code?: string | undefined }): Client {
  return {
    exitCode: result.exitCode,
    stderr: typeof result.stderr === 'string' ? result.stderr : '',
    timedOut: result.timedOut,
    missing: result.code === 'ENOENT' || result.code === 'EACCES',
  }
}
