/** What a run is, in the words of `docker create`. */
import type { RunSpec } from '../services/ports.ts'
import { packing, reporting, unpacking } from './commands.ts'
import { DIALECTS, type Dialect } from './dialect.ts'
import { LABEL } from './labels.ts'

/** A shell as the first process reaps the orphans of the run, in any image, without the engine's own (optional) init. */
const IDLE = 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'

/** Set in every container where the client's own settings name proxies: they may hold a password, and lead away from the fetch network. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/**
 * The user of the idle first process, and of what we read about the run: another than the run's own, so that a build that kills or
 * traces whatever it can reach does not end its container or forge its figures.
 */
export function idleUser(user: string): string {
  return user.startsWith('65534:') ? '65533:65533' : '65534:65534'
}

/** What installing files needs of root, as design's *system* container has it. */
const SYSTEM_CAPABILITIES = ['CHOWN', 'FOWNER', 'FSETID']

/** The user of a run's commands. */
export function userOf(run: RunSpec): string {
  return run.system ? '0:0' : run.user
}

export interface Given {
  name: string
  instance: string
  process: string
  network: string
  /** Without a resolver. */
  isolatedDns: boolean
  cores: number
  dialect?: Dialect
  /** More than those that every run bears. */
  labels?: Record<string, string>
  /** The image has no entrypoint, and what is committed from the container must get none. */
  bare?: boolean
}

/**
 * Arguments of the client for a container that waits for commands. `network` is an engine network's name or `none`; `cores` is what the
 * engine has, since it refuses a limit beyond that.
 */
export function createArguments(run: RunSpec, given: Given): string[] {
  const { limits } = run
  const { dialect = DIALECTS.docker } = given
  const memory = String(Math.floor(limits.memoryBytes))
  const [uid = '0', gid = uid] = userOf(run).split(':')
  return [
    'create', '--pull=never', '--name', given.name, '--hostname', 'muslin',
    '--label', `${LABEL.instance}=${given.instance}`, '--label', `${LABEL.process}=${given.process}`,
    '--label', `${LABEL.run}=${run.label}`,
    ...Object.entries(given.labels ?? {}).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges',
    // With no-new-privileges a command has only capabilities that the first process has too.
    ...(run.system ? ['--user', userOf(run), ...SYSTEM_CAPABILITIES.flatMap((name) => ['--cap-add', name])] : ['--user', idleUser(run.user), '--read-only']),
    // Docker mounts a tmpfs noexec unless told, and a configure script runs what it just compiled.
    ...run.writable.flatMap((path) => ['--tmpfs', `${path}:rw,exec,nosuid,nodev,mode=1777${dialect.tmpfs(uid, gid)},size=${Math.floor(limits.diskBytes)}`]),
    '--memory', memory, '--memory-swap', memory,
    // Ours are the idle process, its sleep, and the shell around a command.
    '--pids-limit', String(limits.processes + 3),
    '--cpus', String(Math.max(0.01, Math.min(limits.cpu, given.cores))),
    '--ulimit', 'core=0', '--log-driver', 'none', '--no-healthcheck',
    '--network', given.network,
    ...(given.isolatedDns ? dialect.withoutNames : []),
    ...dialect.container(),
    // A name without a value takes the variable away.
    ...PROXIES.flatMap((name) => ['--env', name]),
    ...(given.bare ? [run.image, 'sh'] : ['--entrypoint', 'sh', run.image]), '-c', IDLE,
  ]
}

/** Arguments that run a command in a container. */
export function execArguments(id: string, user: string, command: string[], options: { env: Record<string, string>; cwd?: string }): string[] {
  return [
    'exec', '--user', user,
    ...(options.cwd === undefined ? [] : ['--workdir', options.cwd]),
    ...Object.entries(options.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    id, ...reporting(command),
  ]
}

/** Arguments that unpack standard input in a folder. */
export function putArguments(id: string, user: string, folder: string): string[] {
  return ['exec', '-i', '--user', user, id, ...unpacking(folder)]
}

/** Arguments that pack entries of a folder onto standard output. */
export function getArguments(id: string, user: string, folder: string, names: string[]): string[] {
  return ['exec', '--user', user, id, ...packing(folder, names)]
}
