/** A box: what keeps one command of a run from the rest of the machine. Three kinds, one interface. */
import type { RunLimits } from '../../services/ports.ts'
import type { Mount } from './layout.ts'

export interface Box {
  readonly how: 'bubblewrap' | 'unshare' | 'none'
  /** The uid that a run sees itself as, of one whose real one is `user`. */
  shownUser(user: number | undefined): number
  /** A program with its arguments that runs the command as described, ends with it, and ends everything that the command started. Pure. */
  enclose(inside: Inside): string[]
}

/** Of a box that really is one. */
export interface BoxOptions {
  /** The server is root, so that mounts are made as root and the user is the run's own; else a user namespace makes them. */
  root: boolean
  /** A plain user can make user namespaces here. */
  nested: boolean
  /** A CPython of the machine, for the program that starts the box. */
  launcher: string
}

export interface Inside {
  /** The run's, by which what no namespace holds is found again. */
  id: string
  mounts: Mount[]
  network: 'none' | 'fetch'
  /** An empty folder of this machine, for what needs one to build the root on. */
  stage: string
  limits: BoxLimits
  /** The run's own real uid and gid, where the server is root; undefined: those of the server. */
  user: number | undefined
  /** Environment of the command, all of it. */
  env: Record<string, string>
  cwd: string
  command: string[]
}

export interface BoxLimits extends Pick<RunLimits, 'diskBytes'> {
  /** Undefined where the kernel would count the server's own processes among them. */
  processes: number | undefined
  /** Open files of one process. */
  files: number
  /** Cores to run on; undefined: any. */
  cores: number[] | undefined
}

/** What the programs that make a box are found by; nothing of the server's own environment is in it. */
export const OUTSIDE = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

/** Said on standard error when the box stands: without it, what ended was the making of the box, not the command. */
const BEGAN = 'muslin-began'

export function began(stderr: string): boolean {
  return stderr.startsWith(`${BEGAN}\n`)
}

/** The shown user: what people know from containers. */
export const SHOWN = 1000

/** Of the sh around each command, its subshell, and what a box may need besides (its first process among them). */
const OWN_PROCESSES = 4

/** One file may take a little more than all may, so that who wrote it is found out by the next look at the disk. */
const BEYOND_DISK = 1 << 20

/**
 * Limits that the kernel enforces by itself: the first line, since a sampler comes late. Among the first to go when the machine's memory
 * ends, and behind the server in getting the cores.
 */
export function limited({ processes, files, diskBytes, cores }: BoxLimits): string[] {
  return [
    'nice', '-n', '10',
    ...(cores ? ['taskset', '-c', cores.join(',')] : []),
    'choom', '-n', '1000', '--',
    'prlimit', '--core=0', `--nofile=${files}`, `--fsize=${Math.floor(diskBytes) + BEYOND_DISK}`,
    ...(processes === undefined ? [] : [`--nproc=${processes + OWN_PROCESSES}`]), '--',
  ]
}

/** Becomes a plain user for good: no other groups, no capabilities, none to be gained. */
export function becoming(user: number): string[] {
  return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...POWERLESS]
}

const POWERLESS = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--']

/**
 * Shows the user as uid 1000, in a user namespace of its own in which no further one can be made: those are how a plain user reaches
 * the parts of the kernel that were only ever meant for root.
 */
export function shown(): string[] {
  const close = '(echo 0 > /proc/sys/user/max_user_namespaces) 2>/dev/null; exec "$@"'
  return ['unshare', '--user', `--map-user=${SHOWN}`, `--map-group=${SHOWN}`, '--keep-caps', '--', 'sh', '-c', close, 'sh', 'setpriv', ...POWERLESS]
}

/** The command itself, in its folder and with its environment alone. */
export function inside({ env, cwd, command }: Pick<Inside, 'env' | 'cwd' | 'command'>): string[] {
  // Who writes too much is told so, and not killed without a word.
  const enter = `echo ${BEGAN} >&2; trap "" XFSZ; cd -- "$1" || exit 126; shift; exec "$@"`
  return ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), 'sh', '-c', enter, 'sh', cwd, ...command]
}
