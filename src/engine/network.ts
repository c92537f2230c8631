/** The network of fetch runs: one on which Muslin is reachable, and nothing beyond this machine. */
import { MuslinError } from '../errors.ts'
import { LABEL } from './arguments.ts'
import type { Cli } from './cli.ts'

export interface FetchNetwork { name: string; host: string; closed: boolean }

/**
 * The network, made if there is none, and the host at which this machine answers on it (its gateway). On an internal network the engine
 * forwards nothing: names do not resolve and other machines are out of reach; what listens on this machine's own addresses stays reachable.
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
  const found = await find(cli, name, instance)
  if (found.length === 0) {
    await cli.must([
      'network', 'create', '--driver', 'bridge', '--internal', '--opt', 'com.docker.network.bridge.enable_icc=false',
      '--label', `${LABEL.instance}=${instance}`, name,
    // Another process of this instance made it in this moment.
    ], { refuse: (words) => /already exists/i.test(words) ? new MuslinError('engine-unavailable', 'exists') : undefined }).catch((error: unknown) => {
      if (!(error instanceof MuslinError) || error.detail !== 'exists') throw error
    })
  }
  const [first] = await find(cli, name, instance)
  if (!first) throw new MuslinError('engine-unavailable', `a network ${name} exists without our label: remove it, or set fetchNetwork`)
  return look(cli, first, ready.host)
}

/** Removes networks of this instance that no container uses, but for the one that is used now; returns nothing, throws nothing. */
export async function sweepNetworks({ cli, instance, keep }: { cli: Cli; instance: string; keep: string | undefined }): Promise<void> {
  const ids = (await cli.must(['network', 'ls', '--no-trunc', '--filter', `label=${LABEL.instance}=${instance}`, '--format', '{{.ID}}'])).split('\n')
  // The engine itself refuses to remove a network with a container on it.
  for (const id of ids.filter((id) => id !== '' && id !== keep)) await cli.run(['network', 'rm', id])
}

/** Ids of our networks of this name, lowest first: engines let two processes that ask at once make two, and both must take the same. */
async function find(cli: Cli, name: string, instance: string): Promise<string[]> {
  const text = await cli.must(['network', 'ls', '--no-trunc', '--filter', `label=${LABEL.instance}=${instance}`, '--format', '{{.ID}} {{.Name}}'])
  return text.split('\n').filter((line) => line.endsWith(` ${name}`)).map((line) => line.split(' ')[0] ?? '').sort()
}

async function look(cli: Cli, network: string, host: string | undefined): Promise<FetchNetwork> {
  const text = await cli.must(['network', 'inspect', '--format', '{{json .}}', network], {
    refuse: (words) => /no such network|not found/i.test(words)
      ? new MuslinError('engine-unavailable', `the engine has no network ${network}: make it, or leave fetchNetwork out`) : undefined,
  })
  const known = JSON.parse(text) as { Internal?: boolean; IPAM?: { Config?: { Gateway?: string }[] } }
  const gateway = known.IPAM?.Config?.map((config) => config.Gateway?.split('/')[0]).find((address) => address !== undefined && !address.includes(':'))
  const reached = host ?? gateway
  if (reached === undefined) throw new MuslinError('engine-unavailable', `the network ${network} has no gateway: say in fetchUrl where Muslin is reached from it`)
  return { name: network, host: reached, closed: known.Internal === true }
}
