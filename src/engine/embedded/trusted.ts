import { execa } from 'execa'
import { lastWords } from '../cli.ts'
import { MuslinError } from '../../errors.ts'
import { TRUSTED_ENV } from './interpreters.ts'

const MINUTES = 15

/**
 * Runs a program of the machine or the toolchain on input of ours, outside of any box. Returns what it prints; throws `image-unavailable`
 * where it fails, since only images are made so. `idle`: it gives way to everything else on the machine, builds too.
 */
export async function runTrusted(program: string, args: string[], options: { env?: Record<string, string>; cwd?: string; idle?: boolean } = {}): Promise<string> {
  // A server that is killed has no time to end it.
  const command = ['setpriv', '--pdeathsig', 'KILL', ...(options.idle ? ['nice', '-n', '19'] : []), program, ...args]
  const child = execa(command[0] ?? '', command.slice(1), {
    env: { ...TRUSTED_ENV, ...options.env }, extendEnv: false, reject: false, stdin: 'ignore', timeout: MINUTES * 60_000, maxBuffer: 4 << 20, forceKillAfterDelay: 2_000,
    detached: true, ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  // A compiler is a grandchild of ours, and would go on for minutes after a server that stops.
  const end = () => endGroup(child.pid)
  process.once('exit', end)
  const result = await child.finally(() => process.off('exit', end))
  if (result.exitCode === 0) return result.stdout
  const why = result.timedOut ? `not done in ${MINUTES} minutes` : lastWords(result.stderr) || lastWords(result.shortMessage ?? '')
  throw new MuslinError('image-unavailable', `the embedded engine's tools cannot be made ready: ${program} ${args[0] ?? ''} failed (${why})`)
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}
