import type { Logger } from 'pino'
import type { Check } from '../cli/context.ts'
import type { Settings } from '../config/settings.ts'
import { probeDocker } from '../engine/docker.ts'
import { fail, ok, warn } from './check.ts'

/** What would build, as `--builder auto` would choose it. */
export async function builderChecks({ settings }: { settings: Settings; log: Logger }): Promise<Check[]> {
  if (settings.builder === 'none') return [ok('builder', 'none, as the settings say: the upstream is proxied and nothing is promised')]
  const docker = await probeDocker({ command: 'docker' })
  if (docker.ok) return [ok('docker', docker.label)]
  return [(settings.builder === 'docker' ? fail : warn)('docker', docker.why, 'start it')]
}
