import { createImages, type Images } from '../builder/images.ts'
import type { Settings } from '../config/settings.ts'
import { parseTarget } from '../domain/target.ts'
import { createDockerEngine, probeDocker } from '../engine/docker.ts'
import { MuslinError } from '../errors.ts'
import type { Engine } from '../services/ports.ts'
import type { Parts } from './parts.ts'

/** What builds run in; `why` is for the person who started the server. */
export type Chosen =
  | { kind: 'docker'; why: string }
  | { kind: 'none'; why: string }

/**
 * What this process builds with: `auto` takes docker where its engine answers, else the embedded engine where it can work, else none.
 * Throws `engine-unavailable` or `sandbox-unavailable` where the settings ask for one that cannot work.
 */
export async function chooseBuilder(settings: Settings, _env: NodeJS.ProcessEnv): Promise<Chosen> {
  const { builder, role } = settings
  if (role === 'web') return { kind: 'none', why: 'none in this process: a worker builds (--role web)' }
  if (role === 'worker' && builder === 'none') throw new MuslinError('bad-settings', 'builder is none, but a worker does nothing but build; set builder to docker or embedded, or role to web')
  if (builder === 'none') return { kind: 'none', why: 'none, as the settings say: the upstream is proxied and nothing is promised' }
  const docker = await probeDocker({ command: 'docker' })
  if (docker.ok) return { kind: 'docker', why: `docker ${docker.version}${builder === 'auto' ? ', found by itself' : ''}` }
  if (builder === 'docker') throw new MuslinError('engine-unavailable', docker.why)
  return { kind: 'none', why: `none: ${docker.why}. The upstream is proxied and nothing is promised` }
}

/** What wheels are made for. */
export function targetsOf(settings: Settings, _chosen: Chosen): string[] {
  return settings.targets
}

export interface Workshop { engine: Engine; images: Images }

/** The chosen engine with its images. `process` is this worker's id, `live` all that are alive. */
export function createWorkshop(_chosen: Exclude<Chosen, { kind: 'none' }>, parts: Parts, own: { process: string; live: () => Promise<string[]> }): Workshop {
  const { settings, instance, log, clock } = parts
  const targets = parts.targets.map((name) => parseTarget(name)).filter((target) => target !== undefined)
  {
    const engine = createDockerEngine({
      instance, log, ...own,
      ...(settings.fetchNetwork === undefined ? {} : { fetchNetwork: settings.fetchNetwork }),
      ...(settings.fetchUrl === undefined ? {} : { fetchHost: new URL(settings.fetchUrl).hostname }),
    })
    return { engine, images: createImages({ engine, targets, images: { builder: settings.builderImages, clean: settings.cleanImages }, clock, log }) }
  }
}
