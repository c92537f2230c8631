/** Does an engine answer here? Asked by `--builder auto`, by the start and by the doctor. */
import { createCli, shown, whyFailed } from './cli.ts'
import { DIALECTS, type Dialect } from './dialect.ts'

export type Probe =
  | { ok: true; version: string; label: string; cpu: string }
  /** `client`: there is a client, so that somebody may expect an engine here. */
  | { ok: false; client: boolean; why: string }

/** A daemon that starts with the machine, or one at the far end of ssh, needs seconds for its first answer. */
const PATIENCE_MS = 10_000

/**
 * Asks for `patienceMs` at most; never throws. `why` is one line: the cause and the remedy. `label` is for people and holds no secret.
 * `cpu` is the engine's, as in a wheel's platform tag. The client is the one that the kind has by name, and asks where `address` says.
 */
export async function probeEngine({ kind, command = kind, address, patienceMs = PATIENCE_MS }: {
  kind: Dialect['name']
  command?: string
  address?: string
  patienceMs?: number
}): Promise<Probe> {
  const dialect = DIALECTS[kind]
  const cli = createCli(command, { dialect, address })
  const ended = await cli.run([dialect.version, '--format', '{{json .}}'], { timeout: patienceMs })
  if (ended.timedOut) {
    const why = `no daemon answers ${command} within ${patienceMs / 1000} s: see that it runs and is not overloaded, and that ${dialect.address} leads to it`
    return { ok: false, client: true, why }
  }
  if (ended.exitCode !== 0) return { ok: false, client: !ended.missing, why: whyFailed(cli, dialect.version, ended) }
  const server = serverOf(dialect, ended.stdout)
  if (!server) return { ok: false, client: true, why: `${command} answers, but not as ${dialect.title} does: name ${dialect.client}, or use --builder none` }
  if (server.os !== 'linux') return { ok: false, client: true, why: `the daemon runs ${server.os} containers: switch it to Linux containers` }
  if (server.unlimited.length > 0) {
    const why = `${command} cannot limit builds in ${server.unlimited.join(', ')}: delegate these control groups to this user (systemd's Delegate=), or run Muslin as root`
    return { ok: false, client: true, why }
  }
  const where = cli.where ? ` at ${shown(cli.where)}` : ''
  return { ok: true, version: server.version, label: `${kind} ${server.version}${where}`, cpu: server.cpu }
}

function serverOf(dialect: Dialect, text: string) {
  try {
    return dialect.server(JSON.parse(text))
  } catch {
    return undefined
  }
}
