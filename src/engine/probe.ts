/** Does a docker engine answer here? Asked by `--builder auto`, by the start and by the doctor. */
import { createCli, whyFailed } from './cli.ts'

export type Probe =
  | { ok: true; version: string; label: string }
  /** `client`: there is a client, so that somebody may expect an engine here. */
  | { ok: false; client: boolean; why: string }

/** A daemon that starts with the machine, or one at the far end of ssh, needs seconds for its first answer. */
const PATIENCE_MS = 10_000

/** Asks for `patienceMs` at most; never throws. `why` is one line: the cause and the remedy. `label` is for people and holds no secret. */
export async function probeDocker({ command, patienceMs = PATIENCE_MS }: { command: string; patienceMs?: number }): Promise<Probe> {
  const ended = await createCli(command).run(['version', '--format', '{{json .}}'], { timeout: patienceMs })
  if (ended.timedOut) {
    const why = `no daemon answers ${command} within ${patienceMs / 1000} s: see that it runs and is not overloaded, and that DOCKER_HOST leads to it`
    return { ok: false, client: true, why }
  }
  if (ended.exitCode !== 0) return { ok: false, client: !ended.missing, why: whyFailed(command, 'version', ended) }
  const server = serverOf(ended.stdout)
  if (!server) return { ok: false, client: true, why: `${command} answers, but not as Docker does: name Docker's client, or use --builder none` }
  if (server.os !== 'linux') return { ok: false, client: true, why: `the daemon runs ${server.os} containers: switch it to Linux containers` }
  const where = process.env['DOCKER_HOST'] ? ` at ${process.env['DOCKER_HOST'].replace(/\/\/[^@/]*@/, '//')}` : ''
  return { ok: true, version: server.version, label: `docker ${server.version}${where}` }
}

/** Version and system of the daemon, out of what `docker version --format '{{json .}}'` prints. */
function serverOf(text: string): { version: string; os: string } | undefined {
  try {
    const server: unknown = JSON.parse(text).Server
    if (typeof server !== 'object' || server === null) return undefined
    const { Version, Os } = server as Record<string, unknown>
    return typeof Version === 'string' ? { version: Version, os: String(Os) } : undefined
  } catch {
    return undefined
  }
}
