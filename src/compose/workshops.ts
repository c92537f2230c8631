/** The engines that builds run in, each with its images and the address at which its containers reach this server. */
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createImages, type Images } from '../builder/images.ts'
import { createInterpreterImages } from '../builder/interpreter-images.ts'
import { readServerFile } from '../config/data-folder.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { createDockerEngine, type DockerOptions } from '../engine/docker.ts'
import { createEmbeddedEngine } from '../engine/embedded/engine.ts'
import { createToolchains } from '../engine/embedded/toolchains.ts'
import type { Engine } from '../services/ports.ts'
import type { Chosen } from './builders.ts'
import type { Parts } from './parts.ts'

export interface Workshop {
  cpu: string
  engine: Engine
  images: Images
  /** Where Muslin is reached from the engine's fetch network. */
  indexUrl: () => Promise<string>
}

/** This worker's id, and those of all that are alive. */
interface Own { process: string; live: () => Promise<string[]> }

/** The chosen engine, and those that the settings name for other CPUs. */
export function createWorkshops(chosen: Exclude<Chosen, { kind: 'none' }>, parts: Parts, own: Own): [Workshop, ...Workshop[]] {
  const { engines, fetchUrl, publicUrl } = parts.settings
  const targets = parts.targets.map((name) => parseTarget(name)).filter((target) => target !== undefined)
  const of = (cpu: string) => targets.filter((target) => target.cpu === cpu)
  const first = chosen.kind === 'embedded' ? embedded(chosen, parts, of(chosen.cpu), own)
    : containers({ kind: chosen.kind }, parts, { cpu: chosen.cpu, targets: of(chosen.cpu), url: fetchUrl, ...own })
  return [first, ...Object.entries(engines).map(([cpu, address]) => containers({ address }, parts, { cpu, targets: of(cpu), url: fetchUrl ?? publicUrl, ...own }))]
}

function containers(which: Pick<DockerOptions, 'kind' | 'address'>, parts: Parts, { cpu, targets, url, ...own }: Own & { cpu: string; targets: Target[]; url: string | undefined }): Workshop {
  const { settings, instance, log, clock } = parts
  const engine = createDockerEngine({
    ...which, instance, log, ...own,
    ...(settings.fetchNetwork === undefined ? {} : { fetchNetwork: settings.fetchNetwork }),
    ...(url === undefined ? {} : { fetchHost: new URL(url).hostname }),
  })
  const images = createImages({ engine, targets, images: { builder: settings.builderImages, clean: settings.cleanImages }, clock, log })
  return { cpu, engine, images, indexUrl: indexUrl(engine, parts, url) }
}

function embedded({ interpreters, launcher, cpu }: Chosen & { kind: 'embedded' }, parts: Parts, targets: Target[], own: Own): Workshop {
  const { settings, log, clock } = parts
  const folder = join(settings.data, 'embedded')
  const roots = createToolchains({ folder: join(folder, 'toolchains'), interpreters, cpu, wheel: (pinned) => upstreamWheel(parts, pinned), log })
  const engine = createEmbeddedEngine({ folder: join(folder, 'runs'), isolation: settings.isolation, launcher, roots, log, clock, ...own })
  return { cpu, engine, images: createInterpreterImages({ engine, interpreters, targets, cpu, clock, log }), indexUrl: indexUrl(engine, parts, settings.fetchUrl) }
}

function indexUrl(engine: Engine, { settings }: Parts, url: string | undefined): () => Promise<string> {
  return async () => {
    if (url !== undefined) return url
    const { scheme, port } = await readServerFile(settings.data)
    return `${scheme}://${(await engine.network()).host}:${port}`
  }
}

/** A wheel of the upstream as every client gets it: by its page, checked against its digest, and kept. */
async function upstreamWheel({ upstreamPages, files }: Parts, { project, filename, sha256 }: { project: string; filename: string; sha256: string }): Promise<Readable> {
  await upstreamPages.refresh(project)
  return files.pinned(sha256, filename)
}
