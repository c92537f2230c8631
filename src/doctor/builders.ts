import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Check } from '../cli/context.ts'
import { thisMachine } from '../config/machine.ts'
import type { Settings } from '../config/settings.ts'
import { probeEngine } from '../engine/docker.ts'
import { createDiskBlobs } from '../storage/disk-blobs.ts'
import { fail, guarded, ok, warn } from './check.ts'
import { imageChecks } from './containers.ts'
import { pythonChecks, sandboxCheck, unusablePythons } from './embedded.ts'
import { toolchainChecks } from './toolchain.ts'
import type { UpstreamSource } from './upstream.ts'

interface Parts { settings: Settings; source: Promise<UpstreamSource>; log: Logger }

/** What would build, as the setting `builder` chooses it, and what that needs. `source` rejects where no upstream is known. */
export async function builderChecks(parts: Parts): Promise<Check[]> {
  const { builder, python } = parts.settings
  if (builder === 'none') return [ok('builder', 'none, as the settings say: the upstream is proxied and nothing is promised')]
  const [unusable, checks] = await Promise.all([unusablePythons(python), engineChecks(parts)])
  return [...unusable, ...checks]
}

async function engineChecks({ settings, source, log }: Parts): Promise<Check[]> {
  const { builder } = settings
  const docker = builder === 'embedded' ? undefined : await probeEngine({ kind: 'docker' })
  if (docker?.ok) {
    const [images, other] = await Promise.all([imageChecks(settings, log), builder === 'auto' ? embeddedChecks(settings, source) : undefined])
    return [ok('docker', docker.label), ...images, ...other ? besideDocker(other) : []]
  }
  if (docker && builder === 'docker') return [fail('docker', docker.why, 'or let --builder auto choose')]
  const embedded = await embeddedChecks(settings, source)
  const able = embedded.every(({ state }) => state !== 'fail')
  return [...docker ? [warn('docker', docker.why, able ? 'not needed: the embedded engine builds C and C++ projects without it' : 'or make the embedded engine work, below')] : [], ...embedded]
}

/** One line where the embedded engine could do without docker; nothing where it could not, since nothing needs it. */
export function besideDocker(checks: Check[]): Check[] {
  if (checks.some(({ state }) => state === 'fail')) return []
  const targets = checks.find(({ name }) => name === 'targets')?.found.split(';')[0]
  return [ok('embedded', `not needed, but would work without docker${targets === undefined ? '' : `, for ${targets}`}`)]
}

async function embeddedChecks(settings: Settings, source: Promise<UpstreamSource>): Promise<Check[]> {
  const { cpu } = thisMachine()
  const blobs = createDiskBlobs({ folder: join(settings.data, 'blobs') })
  const groups = await Promise.all([
    guarded('sandbox', () => sandboxCheck(settings)),
    guarded('python', () => pythonChecks(settings, cpu)),
    guarded('toolchain', async () => (await source).use((upstream) => toolchainChecks({ upstream, blobs, cpu }))),
  ])
  return groups.flat()
}
