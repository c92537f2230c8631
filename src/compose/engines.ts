/** Engines for targets of other CPUs than the builder's own. */
import type { Settings } from '../config/settings.ts'
import { parseTarget } from '../domain/target.ts'
import { probeEngine, type Probe } from '../engine/docker.ts'
import { MuslinError } from '../errors.ts'

/** Throws `bad-settings` for the first target whose CPU is neither the builder's own nor that of an engine that the settings name. */
export function checkTargetCpus({ targets, engines }: Pick<Settings, 'targets' | 'engines'>, own: string): void {
  if (engines[own] !== undefined) throw new MuslinError('bad-settings', `engines names ${engines[own]} for ${own}, but what builds here is ${own} already; leave it out`)
  for (const name of targets) {
    const cpu = parseTarget(name)?.cpu ?? ''
    if (cpu === own || engines[cpu] !== undefined) continue
    throw new MuslinError('bad-settings', `${name} cannot be built on ${own}: name an engine of that CPU by --engine ${cpu}=tcp://…`)
  }
}

/**
 * What the engines of the settings are, in words for the person who started the server. Throws `bad-settings` for one of another CPU than
 * it is named for; one that does not answer is only told, since the others can work.
 */
export async function describeEngines({ engines }: Pick<Settings, 'engines'>, probe: (address: string) => Promise<Probe> = (address) => probeEngine({ kind: 'docker', address })): Promise<string[]> {
  return Promise.all(Object.entries(engines).map(async ([cpu, address]) => {
    const found = await probe(address)
    if (!found.ok) return `${cpu}: ${found.why}; its targets wait until it answers`
    if (found.cpu !== cpu) throw new MuslinError('bad-settings', `engines names ${address} for ${cpu}, but that engine is ${found.cpu}; name it for that, or name another`)
    return `${cpu}: ${found.label}`
  }))
}
