import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createImages, type Images } from '../builder/images.ts'
import { createInterpreterImages, interpreterTargets } from '../builder/interpreter-images.ts'
import { thisMachine } from '../config/machine.ts'
import type { Settings } from '../config/settings.ts'
import { parseTarget } from '../domain/target.ts'
import { createDockerEngine, probeEngine } from '../engine/docker.ts'
import { createEmbeddedEngine } from '../engine/embedded/engine.ts'
import { findInterpreters, type Interpreter } from '../engine/embedded/interpreters.ts'
import { launcherOf } from '../engine/embedded/launcher.ts'
import { probeSandbox } from '../engine/embedded/probe.ts'
import { createToolchains } from '../engine/embedded/toolchains.ts'
import { MuslinError } from '../errors.ts'
import type { Engine } from '../services/ports.ts'
import type { Parts } from './parts.ts'

/** What builds run in; `why` is for the person who started the server. */
export type Chosen =
  | { kind: 'docker'; why: string }
  | { kind: 'embedded'; why: string; interpreters: Interpreter[]; launcher: string }
  | { kind: 'none'; why: string }

/**
 * What this process builds with: `auto` takes docker where its engine answers, else the embedded engine where it can work, else none.
 * Throws `engine-unavailable` or `sandbox-unavailable` where the settings ask for one that cannot work.
 */
export async function chooseBuilder(settings: Settings, env: NodeJS.ProcessEnv): Promise<Chosen> {
  const { builder, role } = settings
  if (role === 'web') return { kind: 'none', why: 'none in this process: a worker builds (--role web)' }
  if (role === 'worker' && builder === 'none') throw new MuslinError('bad-settings', 'builder is none, but a worker does nothing but build; set builder to docker or embedded, or role to web')
  if (builder === 'none') return { kind: 'none', why: 'none, as the settings say: the upstream is proxied and nothing is promised' }
  if (builder === 'embedded') return embedded(settings, env, '')
  const docker = await probeEngine({ kind: 'docker' })
  if (docker.ok) return { kind: 'docker', why: `docker ${docker.version}${builder === 'auto' ? ', found by itself' : ''}` }
  if (builder === 'docker') throw new MuslinError('engine-unavailable', docker.why)
  try {
    // What comes last is the remedy, which is not wanted where the other engine works.
    return await embedded(settings, env, `, found by itself: ${docker.why.slice(0, docker.why.lastIndexOf(': '))}`)
  } catch (error) {
    if (!(error instanceof MuslinError)) throw error
    if (role === 'worker') throw new MuslinError('engine-unavailable', `${docker.why}; and without it: ${error.detail}`)
    return { kind: 'none', why: `none: ${docker.why}; and without it: ${error.detail}. The upstream is proxied and nothing is promised` }
  }
}

async function embedded({ isolation, python }: Settings, env: NodeJS.ProcessEnv, since: string): Promise<Chosen> {
  const interpreters = await findInterpreters({ env, home: env['HOME'] ?? homedir(), named: python })
  const launcher = launcherOf(interpreters)
  if (launcher === undefined) throw new MuslinError('engine-unavailable', 'the embedded engine finds no CPython with its headers on this machine: install one, or name it by --python')
  const sandbox = await probeSandbox({ isolation, launcher })
  if (!sandbox.ok) throw new MuslinError('sandbox-unavailable', sandbox.why)
  const targets = interpreterTargets({ interpreters, targets: [], cpu: thisMachine().cpu })
  if (targets.length === 0) {
    const missing = interpreters.find((one) => one.missing !== undefined)?.missing
    throw new MuslinError('engine-unavailable', `the embedded engine finds no CPython with its headers on this machine: ${missing ?? 'install one, or name it by --python'}`)
  }
  const minors = targets.toSorted((a, b) => a.minor - b.minor).map(({ major, minor }) => `${major}.${minor}`)
  return { kind: 'embedded', interpreters, launcher, why: `embedded (${sandbox.how}, zig, CPython ${minors.join(', ')})${since}` }
}

/** What wheels are made for: the settings' targets, and with the embedded engine every CPython that it builds with. */
export function targetsOf(settings: Settings, chosen: Chosen): string[] {
  const own = chosen.kind === 'embedded' ? interpreterTargets({ interpreters: chosen.interpreters, targets: [], cpu: thisMachine().cpu }) : []
  return [...new Set([...settings.targets, ...own.map(({ name }) => name)])].sort()
}

export interface Workshop { engine: Engine; images: Images }

/** The chosen engine with its images. `process` is this worker's id, `live` all that are alive. */
export function createWorkshop(chosen: Exclude<Chosen, { kind: 'none' }>, parts: Parts, own: { process: string; live: () => Promise<string[]> }): Workshop {
  const { settings, instance, log, clock } = parts
  const targets = parts.targets.map((name) => parseTarget(name)).filter((target) => target !== undefined)
  if (chosen.kind === 'docker') {
    const engine = createDockerEngine({
      instance, log, ...own,
      ...(settings.fetchNetwork === undefined ? {} : { fetchNetwork: settings.fetchNetwork }),
      ...(settings.fetchUrl === undefined ? {} : { fetchHost: new URL(settings.fetchUrl).hostname }),
    })
    return { engine, images: createImages({ engine, targets, images: { builder: settings.builderImages, clean: settings.cleanImages }, clock, log }) }
  }
  const { interpreters, launcher } = chosen
  const { cpu } = thisMachine()
  const folder = join(settings.data, 'embedded')
  const roots = createToolchains({ folder: join(folder, 'toolchains'), interpreters, cpu, wheel: (pinned) => upstreamWheel(parts, pinned), log })
  const engine = createEmbeddedEngine({ folder: join(folder, 'runs'), isolation: settings.isolation, launcher, roots, log, clock, ...own })
  return { engine, images: createInterpreterImages({ engine, interpreters, targets, cpu, clock, log }) }
}

/** A wheel of the upstream as every client gets it: by its page, checked against its digest, and kept. */
async function upstreamWheel({ upstreamPages, files }: Parts, { project, filename, sha256 }: { project: string; filename: string; sha256: string }): Promise<Readable> {
  await upstreamPages.refresh(project)
  return files.blob(sha256, filename)
}
