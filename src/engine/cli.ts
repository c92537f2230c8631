/** The engine's client as a child process: arguments as a list, a clean environment, a time limit and capped output for every call. */
import { execa, type Options } from 'execa'
import { MuslinError } from '../errors.ts'
import { DIALECTS, type Dialect } from './dialect.ts'

/** How a call of the client ended. `exitCode` is undefined where the client was killed or never started. */
export interface Ended { exitCode: number | undefined; stdout: string; stderr: string; timedOut: boolean; missing: boolean }

export type Cli = ReturnType<typeof createCli>

/**
 * `run` waits for the end and never throws; `must` gives standard output and throws `engine-unavailable`, or what `refuse` makes of the
 * words of the client; `start` gives the running process (its promise never rejects, its output is the caller's to read). `address`
 * says where the engine is, in the place of the client's own settings.
 */
export function createCli(command: string, { dialect = DIALECTS.docker, address }: { dialect?: Dialect; address?: string | undefined } = {}) {
  const environment = clientEnvironment(process.env, dialect)
  if (address !== undefined) environment[dialect.address] = address

  function start(args: string[], options: { stdin?: boolean; timeout?: number; env?: Record<string, string> } = {}) {
    const settings = {
      env: { ...environment, ...options.env },
      extendEnv: false,
      ...(dialect.folder === undefined ? {} : { cwd: dialect.folder }),
      reject: false,
      stdin: 'pipe',
      buffer: { stdout: false, stderr: true },
      encoding: 'utf8',
      stripFinalNewline: false,
      // Only what the client itself says arrives on standard error: a few lines. Beyond that it is ended.
      maxBuffer: { stdout: 0, stderr: 1 << 20 },
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      forceKillAfterDelay: 2_000,
    } as const satisfies Options
    const child = execa(command, args, settings)
    if (!options.stdin) child.stdin.end()
    return child
  }

  async function run(args: string[], options: { timeout?: number; env?: Record<string, string> } = {}): Promise<Ended> {
    const result = await execa(command, args, {
      env: { ...environment, ...options.env },
      extendEnv: false,
      ...(dialect.folder === undefined ? {} : { cwd: dialect.folder }),
      reject: false,
      stdin: 'ignore',
      maxBuffer: 4 << 20,
      timeout: options.timeout ?? 60_000,
      forceKillAfterDelay: 2_000,
    })
    return {
      exitCode: result.exitCode,
      stdout: result.stdout,
      stderr: result.stderr,
      timedOut: result.timedOut,
      missing: result.code === 'ENOENT' || result.code === 'EACCES',
    }
  }

  async function must(args: string[], options: { timeout?: number; refuse?: (words: string) => MuslinError | undefined } = {}): Promise<string> {
    const ended = await run(args, options)
    if (ended.exitCode === 0) return ended.stdout
    throw options.refuse?.(ended.stderr) ?? new MuslinError('engine-unavailable', whyFailed({ command, dialect }, args[0] ?? '', ended))
  }

  return { command, dialect, where: environment[dialect.address], start, run, must }
}

/** What the client needs to find its daemon, and nothing else of ours: no proxy, no token, no buildkit switch. */
export function clientEnvironment(env: NodeJS.ProcessEnv, dialect: Dialect = DIALECTS.docker): Record<string, string> {
  return Object.fromEntries(['PATH', 'HOME', ...dialect.variables].flatMap((name) => env[name] === undefined ? [] : [[name, env[name]]]))
}

/** An address for people: without the name and password that it may hold. */
export function shown(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//')
}

/** One line, cause and remedy, for a call of the client that failed. */
export function whyFailed({ command, dialect }: Pick<Cli, 'command' | 'dialect'>, verb: string, ended: Omit<Ended, 'stdout'>): string {
  if (ended.missing) return `${command} is not on the PATH: install ${dialect.client}, or use --builder none`
  if (ended.timedOut) return `the daemon does not answer "${command} ${verb}" in time: see that it runs and is not overloaded`
  const words = ended.stderr
  if (/permission denied/i.test(words) && /socket|dial|connect/i.test(words)) {
    return 'permission denied on the daemon\'s socket: add this user to the group docker, or set DOCKER_HOST to a daemon of its own'
  }
  if (/cannot connect|error during connect|is the docker daemon running|connection refused|no such host|failed to connect/i.test(words)) {
    return `no daemon answers ${command} (${lastWords(words)}): start it, or set ${dialect.address} to where it listens`
  }
  const silent = ended.exitCode ? `exit code ${ended.exitCode}` : 'the client was stopped in the middle'
  return `"${command} ${verb}" failed: ${lastWords(words) || silent}`
}

/** What the daemon answered, else the last line that says something; without the client's own prefixes, at most 300 characters. */
export function lastWords(text: string): string {
  const noise = /^(warning:|deprecated:|time="\S+" level=(warning|info|debug) |failed to connect to syslog|muslin-exit |see 'docker|run 'docker|$)/i
  const lines = text.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => !noise.test(line))
  const told = lines.find((line) => line.includes('Error response from daemon: ')) ?? lines.at(-1) ?? ''
  return told.replace(/^(docker: |Error: |ERROR: |Error response from daemon: )+/, '').slice(0, 300)
}
