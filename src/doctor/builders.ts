import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Check } from '../cli/context.ts'
import { thisMachine } from '../config/machine.ts'
import type { Settings } from '../config/settings.ts'
import { parseTarget } from '../domain/target.ts'
import { probeEngine } from '../engine/docker.ts'
import { createDiskBlobs } from '../storage/disk-blobs.ts'
import { fail, guarded, ok, warn } from './check.ts'
import { imageChecks } from './containers.ts'
import { pythonChecks, sandboxCheck, unusablePythons } from './embedded.ts'
import { toolchainChecks } from './toolchain.ts'
import type { UpstreamSources } from './upstream.ts'

interface Parts { settings: Settings; source: Promise<UpstreamSources>; log: Logger }

/** What would build, as the setting `builder` chooses it, and what that needs. `source` rejects where no upstream is known. */
export async function builderChecks(parts: Parts): Promise<Check[]> {
  const { builder, python } = parts.settings
  if (builder === 'none') return [ok('builder', 'none, as the settings say: the upstream is proxied and nothing is promised')]
  const [unusable, { cpu, checks }, others] = await Promise.all([unusablePythons(python), ownChecks(parts), otherChecks(parts)])
  return [...unusable, ...checks, ...others, ...cpuChecks(parts.settings, cpu)]
}

/** Of the builder itself, in the order in which `auto` looks; `cpu` is its own. */
async function ownChecks({ settings, source, log }: Parts): Promise<{ cpu: string; checks: Check[] }> {
  const { builder } = settings
  const tried: Check[] = []
  for (const kind of builder === 'auto' ? ['docker', 'podman'] as const : builder === 'docker' || builder === 'podman' ? [builder] : []) {
    const found = await probeEngine({ kind })
    if (found.ok) {
      const [images, other] = await Promise.all([imageChecks({ kind }, settings, found.cpu, log), builder === 'auto' ? embeddedChecks(settings, source) : undefined])
      return { cpu: found.cpu, checks: [...tried, ok(kind, found.label), ...images, ...other ? besideContainers(other, kind) : []] }
    }
    if (builder === kind) return { cpu: thisMachine().cpu, checks: [fail(kind, found.why, 'or let --builder auto choose')] }
    tried.push(warn(kind, found.why, 'not needed where another engine works'))
  }
  const embedded = await embeddedChecks(settings, source)
  const able = embedded.every(({ state }) => state !== 'fail')
  const remedy = able ? 'not needed: the embedded engine builds C and C++ projects without it' : 'or make the embedded engine work, below'
  return { cpu: thisMachine().cpu, checks: [...tried.map(({ name, found }) => warn(name, found, remedy)), ...embedded] }
}

/** Of the engines for other CPUs: whether they answer, and are what they are named for. */
async function otherChecks({ settings, log }: Parts): Promise<Check[]> {
  return (await Promise.all(Object.entries(settings.engines).map(async ([cpu, address]) => {
    const found = await probeEngine({ kind: 'docker', address })
    if (!found.ok) return [warn('engine', `${cpu}: ${found.why}`, 'its targets wait until it answers')]
    if (found.cpu !== cpu) return [fail('engine', `${cpu}: ${found.label} is ${found.cpu}`, 'name it for that CPU by --engine, or name another')]
    return [ok('engine', `${cpu}: ${found.label}`), ...await imageChecks({ address }, settings, cpu, log)]
  }))).flat()
}

/** Targets that a start refuses, since no engine is of their CPU. */
export function cpuChecks({ targets, engines }: Pick<Settings, 'targets' | 'engines'>, own: string): Check[] {
  const known = targets.flatMap((name) => parseTarget(name) ?? [])
  return known.filter(({ cpu }) => cpu !== own && engines[cpu] === undefined)
    .map(({ name, cpu }) => fail('target', `${name} cannot be built on ${own}`, `name an engine of that CPU by --engine ${cpu}=tcp://…, or leave the target out`))
}

/** One line where the embedded engine could do without containers; nothing where it could not, since nothing needs it. */
export function besideContainers(checks: Check[], kind: string): Check[] {
  if (checks.some(({ state }) => state === 'fail')) return []
  const targets = checks.find(({ name }) => name === 'targets')?.found.split(';')[0]
  return [ok('embedded', `not needed, but would work without ${kind}${targets === undefined ? '' : `, for ${targets}`}`)]
}

async function embeddedChecks(settings: Settings, source: Promise<UpstreamSources>): Promise<Check[]> {
  const { cpu } = thisMachine()
  const blobs = createDiskBlobs({ folder: join(settings.data, 'blobs') })
  const groups = await Promise.all([
    guarded('sandbox', () => sandboxCheck(settings)),
    guarded('python', () => pythonChecks(settings, cpu)),
    guarded('toolchain', async () => (await source).use((upstream) => toolchainChecks({ upstream, blobs, cpu }))),
  ])
  return groups.flat()
}
