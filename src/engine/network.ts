/** The network of fetch runs: one on which Muslin is reachable, and nothing beyond this machine. */
import { randomBytes } from 'node:crypto'
import { MuslinError } from '../errors.ts'
import { shown, type Cli } from './cli.ts'
import { LABEL } from './labels.ts'
import type { EngineFacts } from './place.ts'

export interface FetchNetwork {
  name: string
  host: string
  closed: boolean
  /** Each run needs one of its own, made by `ownNetwork`. */
  each?: true
}

/**
 * The network, made if there is none, and the host at which this machine answers on it (its gateway). On an internal network the engine
 * forwards nothing: names do not resolve and other machines are out of reach; what listens on this machine's own addresses stays reachable.
 * Two processes that make it at the same moment may take one each; both are as good, and the next ones agree.
 * `ready` names a network of the admin's and, where Muslin is not at its gateway, the host: with a network nothing is made then. On an
 * engine elsewhere nothing is made either, since a network that leads to us leads to others too. Throws `engine-unavailable`.
 */
export async function fetchNetwork({ cli, name, instance, ready, place }: {
  cli: Cli
  name: string
  instance: string
  ready: { network: string | undefined; host: string | undefined }
  place: EngineFacts['place']
}): Promise<FetchNetwork> {
  const { dialect } = cli
  const host = ready.host ?? (place === 'apart' ? dialect.apart.host : undefined)
  if (place === 'remote' && host === undefined) {
    throw new MuslinError('engine-unavailable', `the engine${cli.where === undefined ? '' : ` at ${shown(cli.where)}`} is on another machine: say in fetchUrl where Muslin is reached from there`)
  }
  if (ready.network !== undefined) return look(cli, ready.network, host)
  if (place !== 'here') return { name: dialect.apart.network, host: host ?? dialect.apart.host, closed: false }
  if (dialect.hostEach !== undefined) return { name, host: host ?? dialect.hostEach, closed: true, each: true }
  if ((await ours(cli, instance, name)).length === 0) {
    // Engines let two processes that ask at once make two networks of one name, and can then start nothing on either.
    await ownNetwork({ cli, name: `${name}-${randomBytes(3).toString('hex')}`, instance })
  }
  const [first] = await ours(cli, instance, name)
  if (first === undefined) throw new MuslinError('engine-unavailable', 'the fetch network vanished as soon as it was made: it is made again at the next build')
  return look(cli, first, host)
}

/** Makes a network of this name from which this machine alone is reached. */
export async function ownNetwork({ cli, name, instance }: { cli: Cli; name: string; instance: string }): Promise<void> {
  await cli.must(['network', 'create', ...cli.dialect.network, '--label', `${LABEL.instance}=${instance}`, name])
}

/** Removes networks of this instance that no container uses, but for those that are used now. */
export async function sweepNetworks({ cli, instance, keep }: { cli: Cli; instance: string; keep: (name: string) => boolean }): Promise<void> {
  // The engine itself refuses to remove a network with a container on it.
  for (const name of await ours(cli, instance, '')) if (!keep(name)) await cli.run(['network', 'rm', name])
}

/** Names of our networks, in one order for every process, so that all take the same. */
async function ours(cli: Cli, instance: string, prefix: string): Promise<string[]> {
  const text = await cli.must(['network', 'ls', '--filter', `label=${LABEL.instance}=${instance}`, '--format', '{{.Name}}'])
  return text.split('\n').filter((name) => name !== '' && name.startsWith(prefix)).sort()
}

async function look(cli: Cli, network: string, host: string | undefined): Promise<FetchNetwork> {
  const text = await cli.must(['network', 'inspect', '--format', '{{json .}}', network], {
    refuse: (words) => /no such network|not found/i.test(words)
      ? new MuslinError('engine-unavailable', `the engine has no network ${network}: make it, or leave fetchNetwork out`) : undefined,
  })
  const { closed, gateways } = cli.dialect.seen(JSON.parse(text || '{}'))
  const gateway = gateways.map((address) => address.split('/')[0]).find((address) => address !== undefined && !address.includes(':'))
  const reached = host ?? gateway
  if (reached === undefined) {
    throw new MuslinError('engine-unavailable', `the network ${network} has no gateway: say in fetchUrl where Muslin is reached from it`)
  }
  return { name: network, host: reached, closed }
}
