/** Does a docker engine answer here? Asked by `--builder auto`, by the start and by the doctor. */
import { createCli, whyFailed } from './cli.ts'

export type Probe = { ok: true; version: string; label: string } | { ok: false; why: string }

/** Asks for two seconds at most; never throws. `why` is one line: the cause and the remedy. `label` is for people and holds no secret. */
export async function probeDocker({ command }: { command: string }): Promise<Probe> {
  const ended = await createCli(command).run(['version', '--format', '{{json .}}'], { timeout: 2_000 })
  if (ended.exitCode !== 0) return { ok: false, why: whyFailed(command, 'version', ended) }
  const server = serverOf(ended.stdout)
  if (!server) return { ok: false, why: `${command} answers, but not as Docker does: name Docker's client, or use --builder none` }
  if (server.os !== 'linux') return { ok: false, why: `the daemon runs ${server.os} containers: switch it to Linux containers` }
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
