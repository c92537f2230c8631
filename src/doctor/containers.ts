import type { Logger } from 'pino'
import { imageSources } from '../builder/images.ts'
import type { Check } from '../cli/context.ts'
import type { Settings } from '../config/settings.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { builtRef, createDockerEngine, type DockerOptions } from '../engine/docker.ts'
import type { Engine, ImageSource } from '../services/ports.ts'
import { fail, guarded, ok, warn } from './check.ts'

/** For each target of this CPU whether its images are on the engine. Nothing is made or pulled. */
export async function imageChecks(which: Pick<DockerOptions, 'kind' | 'address'>, { targets, builderImages, cleanImages }: Pick<Settings, 'targets' | 'builderImages' | 'cleanImages'>, cpu: string, log: Logger): Promise<Check[]> {
  const engine = createDockerEngine({ ...which, instance: 'doctor', log })
  const images = { builder: builderImages, clean: cleanImages }
  const known = targets.flatMap((name) => parseTarget(name) ?? []).filter((target) => target.cpu === cpu)
  return (await Promise.all(known.map((target) => guarded('image', () => imageCheck(target, imageSources(target, images), engine, which.kind ?? 'docker'))))).flat()
}

/** Whether the images of a target are on the engine, or what becomes of them at the start or at a build. */
export async function imageCheck({ name }: Target, { builder, clean }: ReturnType<typeof imageSources>, engine: Pick<Engine, 'digest'>, client = 'docker'): Promise<Check> {
  if (!builder) return fail('image', `${name}: no image is known that builds for it`, 'name one by --builder-image, or leave the target out')
  if (!await isThere(builder, engine)) {
    if (builder.kind === 'ready') return warn('image', `${name}: ${builder.ref} is not on this engine, and is pulled at the start`, `${client} pull ${builder.ref}`)
    return ok('image', `${name}: its builder image is made at its first build`)
  }
  return ok('image', `${name}: its builder image is there${await isThere(clean, engine) ? ', and so is the clean one' : '; the clean one is pulled at its first build'}`)
}

/** The digest of an image that we build says nothing of whether it is built: its name does. */
async function isThere(source: ImageSource, engine: Pick<Engine, 'digest'>): Promise<boolean> {
  const digest = await engine.digest(source)
  if (source.kind !== 'build' || digest === undefined) return digest !== undefined
  return await engine.digest({ kind: 'ready', ref: builtRef(source.name, digest) }) !== undefined
}
