/** Which images build and try for a target, and whether they can be had now. */
import type { Logger } from 'pino'
import table from '../../builders/targets.json' with { type: 'json' }
import type { Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, Engine, ImageSource } from '../services/ports.ts'
import { BUILDERS } from './scripts.ts'

/** Ready-made images by target name, from the settings. */
export interface ReadyImages { builder: Record<string, string>; clean: Record<string, string> }

export interface Image { ref: string; digest: string }

export interface Images {
  /** Target → digest of its builder image, without those whose image could not be had a short while ago. */
  targets(): Promise<Map<string, string>>
  /** Both images of a target, made or pulled where they are absent. Throws `image-unavailable` and withdraws the target, or `engine-unavailable`. */
  ready(target: Target): Promise<{ builder: Image; clean: Image }>
  /** The release of musl on the target's Alpine: what its clients have at least. */
  muslRelease(target: Target): string
}

const WITHDRAWN_MS = 10 * 60_000
/** The oldest Alpine release that knows RELR relocations, and its musl: what a Python that the table does not know is held to. */
const OLDEST_MUSL = '1.2.4'

const PYTHONS: Record<string, { alpine: string }> = table.pythons
const ALPINES: Record<string, { musl: string }> = table.alpines

export function createImages(deps: { engine: Engine; targets: Target[]; images: ReadyImages; clock: Clock; log: Logger }): Images {
  const { engine, images, clock, log } = deps
  const withdrawnUntil = new Map<string, number>()
  const pulling = new Set<string>()
  let silent = false

  return {
    async targets() {
      try {
        const found = new Map<string, string>()
        for (const target of deps.targets) {
          const digest = await digestOf(target).catch((error: unknown) => {
            if (!(error instanceof MuslinError) || error.code !== 'image-unavailable') throw error
            withdraw(target, error)
            return undefined
          })
          if (digest !== undefined) found.set(target.name, digest)
        }
        silent = false
        return found
      } catch (error) {
        // Asked every few seconds: a dead engine is told once.
        if (!silent) log.error({ err: error }, 'the engine does not answer: no target can be built')
        silent = true
        return new Map()
      }
    },
    async ready(target) {
      const builder = builderSource(target)
      if (!builder) throw new MuslinError('image-unavailable', `no image is known that builds for ${target.name}: name one by --builder-image`)
      try {
        return { builder: await engine.image(builder), clean: await engine.image(cleanSource(target)) }
      } catch (error) {
        if (error instanceof MuslinError && error.code === 'image-unavailable') withdraw(target, error)
        throw error
      }
    },
    muslRelease(target) {
      const alpine = PYTHONS[`${target.major}.${target.minor}`]?.alpine
      return (alpine === undefined ? undefined : ALPINES[alpine]?.musl) ?? OLDEST_MUSL
    },
  }

  async function digestOf(target: Target): Promise<string | undefined> {
    const source = builderSource(target)
    if (!source || (withdrawnUntil.get(target.name) ?? 0) > clock.now()) return undefined
    const digest = await engine.digest(source)
    // The digest of an image to be built is known without the engine, so it is asked for the clean one: is it alive?
    await engine.digest(cleanSource(target))
    if (digest === undefined && !pulling.has(target.name)) void pull(target, source)
    return digest
  }

  /** An absent ready-made image may be had from a registry; until it is here nothing is promised. */
  async function pull(target: Target, source: ImageSource): Promise<void> {
    pulling.add(target.name)
    try {
      await engine.image(source)
    } catch (error) {
      withdraw(target, error)
    } finally {
      pulling.delete(target.name)
    }
  }

  function withdraw(target: Target, error: unknown): void {
    withdrawnUntil.set(target.name, clock.now() + WITHDRAWN_MS)
    log.error({ err: error, target: target.name }, `the image cannot be had: nothing is built for this target for ${WITHDRAWN_MS / 60_000} minutes`)
  }

  function builderSource(target: Target): ImageSource | undefined {
    const ref = images.builder[target.name]
    if (ref !== undefined) return { kind: 'ready', ref }
    const python = officialImage(target)
    if (python === undefined) return undefined
    return { kind: 'build', name: `muslin-builder-${target.python}`, folder: `${BUILDERS}alpine`, args: { PYTHON_IMAGE: python } }
  }

  function cleanSource(target: Target): ImageSource {
    // A ready builder image for a Python that the table does not know comes with no clean one: the official name is the best guess.
    return { kind: 'ready', ref: images.clean[target.name] ?? officialImage(target) ?? `python:${target.major}.${target.minor}-alpine` }
  }

  function officialImage(target: Target): string | undefined {
    const python = `${target.major}.${target.minor}`
    const alpine = PYTHONS[python]?.alpine
    return alpine === undefined ? undefined : `python:${python}-alpine${alpine}`
  }
}
