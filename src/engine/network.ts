/** The network of fetch runs: one on which Muslin is reachable, and nothing beyond this machine. */
import { randomBytes } from 'node:crypto'
import { MuslinError } from '../errors.ts'
import { LABEL } from './arguments.ts'
import type { Cli } from './cli.ts'

export interface FetchNetwork { name: string; host: string; closed: boolean }

/**
 * The network, made if there is none, and the host at which this machine answers on it (its gateway). On an internal network the engine
 * forwards nothing: names do not resolve and other machines are out of reach; what listens on this machine's own addresses stays reachable.
 * Two processes that make it at the same moment may take one each; both are as good, and the next ones agree.
 * `ready` names a network of the admin's and, where Muslin is not at its gateway, the host: nothing is made then.
 */
export async function fetchNetwork({ cli, name, instance, ready, desktop }: {
  cli: Cli
  name: string
  instance: string
  ready: { network: string | undefined; host: string | undefined }
  desktop: boolean
}): Promise<FetchNetwork> {
  if (ready.network !== undefined) return look(cli, ready.network, ready.host)
  // There the engine is in a virtual machine: a network's gateway is that machine, not the one Muslin listens on.
  if (desktop) return { name: 'bridge', host: ready.host ?? 'host.docker.internal', closed: false }
  if ((await find(cli, name, instance)).length === 0) {
    // Engines let two processes that ask at once make two networks of one name, and can then start nothing on either.
    const unique = `${name}-${randomBytes(3).toString('hex')}`
    const options = ['--driver', 'bridge', '--internal', '--opt', 'com.docker.network.bridge.enable_icc=false']
    await cli.must(['network', 'create', ...options, '--label', `${LABEL.instance}=${instance}`, unique])
  }
  const [first] = await find(cli, name, instance)
  if (first === undefined) throw new MuslinError('engine-unavailable', 'the fetch network vanished as soon as it was made: it is made again at the next build')
  return look(cli, first, ready.host)
}

/** Removes networks of this instance that no container uses, but for the one that is used now. */
export async function sweepNetworks({ cli, instance, keep }: { cli: Cli; instance: string; keep: string | undefined }): Promise<void> {
  // The engine itself refuses to remove a network with a container on it.
  for (const name of await find(cli, '', instance)) if (name !== keep) await cli.run(['network', 'rm', name])
}

/** Names of our networks, in one order for every process, so that all take the same. */
async function find(cli: Cli, prefix: string, instance: string): Promise<string[]> {
  const text = await cli.must(['network', 'ls', '--filter', `label=${LABEL.instance}=${instance}`, '--format', '{{.Name}}'])
  return text.split('\n').filter((name) => name !== '' && name.startsWith(prefix)).sort()
}

async function look(cli: Cli, network: string, host: string | undefined): Promise<FetchNetwork> {
  const text = await cli.must(['network', 'inspect', '--format', '{{json .}}', network], {
    refuse: (words) => /no such network|not found/i.test(words)
      ? new MuslinError('engine-unavailable', `the engine has no network ${network}: make it, or leave fetchNetwork out`) : undefined,
  })
  const known = JSON.parse(text || '{}') as { Internal?: boolean; IPAM?: { Config?: { Gateway?: string }[] } }
  const gateway = known.IPAM?.Config?.map((config) => config.Gateway?.split('/')[0]).find((address) => address !== undefined && !address.includes(':'))
  const reached = host ?? gateway
  if (reached === undefined) {
    throw new MuslinError('engine-unavailable', `the network ${network} has no gateway: say in fetchUrl where Muslin is reached from it`)
  }
  return { name: network, host: reached, closed: known.Internal === true }
}
