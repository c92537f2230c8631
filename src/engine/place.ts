/** Where an engine is, as seen from here: that decides at which address its containers reach us. */
import { hostname, networkInterfaces } from 'node:os'
import { isLoopback } from '../domain/local.ts'
import { MuslinError } from '../errors.ts'
import { lastWords, type Cli } from './cli.ts'

export interface EngineFacts {
  cores: number
  /**
   * `here`: on this machine, in its own network. `apart`: on this machine, in a network of its own, where a gateway is not what Muslin
   * listens on (a virtual machine, a plain user's). `remote`: on another machine.
   */
  place: 'here' | 'apart' | 'remote'
}

/** Throws `engine-unavailable` where no engine answers. */
export async function engineFacts(cli: Cli): Promise<EngineFacts> {
  const { dialect } = cli
  const info: unknown = JSON.parse(await cli.must(['info', '--format', '{{json .}}']) || '{}')
  const facts = dialect.facts(info)
  if (!facts) {
    const said = lastWords((info as { ServerErrors?: string[] }).ServerErrors?.[0] ?? 'no answer')
    throw new MuslinError('engine-unavailable', `no daemon answers ${cli.command} (${said}): start it, or set ${dialect.address} to where it listens`)
  }
  const address = dialect.endpoint === undefined ? cli.where : (await cli.run(dialect.endpoint)).stdout.trim()
  return { cores: facts.cores, place: isElsewhere(address ?? '') ? 'remote' : facts.apart ? 'apart' : 'here' }
}

/** Whether an engine's address leads to another machine. Sockets in the file system do not. */
export function isElsewhere(address: string): boolean {
  const host = /^(?:tcp|https?|ssh):\/\/(?:[^@/]*@)?(?:\[([^\]]+)\]|([^:/]+))/.exec(address)?.slice(1).find(Boolean)
  if (host === undefined || isLoopback(host) || host === hostname()) return false
  return !Object.values(networkInterfaces()).flat().some((face) => face?.address === host)
}
