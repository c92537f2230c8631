/** Which images build and try for a target, and whether they can be had now. */
import type { Logger } from 'pino'
import table from '../../builders/targets.json' with { type: 'json' }
import type { Language } from '../domain/languages.ts'
import type { Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, Engine, ImageSource } from '../services/ports.ts'
import { BUILDERS } from './scripts.ts'
import { createWithdrawn } from './withdrawn.ts'

/** Ready-made images by target name, from the settings. */
export interface ReadyImages { builder: Record<string, string>; clean: Record<string, string> }

export interface Image { ref: string; digest: string }

export interface ReadyPair {
  builder: Image
  /** Where finished wheels are tried; undefined where there is nothing of the target's kind at hand. */
  clean: Image | undefined
  /** More variables for commands that run the sdist's code. */
  env: Record<string, string>
  /** Libraries of the builder image are put into wheels. Without it the image has none to put in, and cannot run on musl either. */
  bundles: boolean
}

export interface Images {
  /** What these images compile; undefined: whatever their compilers do. */
  readonly languages: readonly Language[] | undefined
  /** Target → digest of its builder image, without those whose image could not be had a short while ago. */
  targets(): Promise<Map<string, string>>
  /**
   * The images of a target, made or pulled where they are absent. Throws `image-unavailable` and withdraws the target, or
   * `engine-unavailable`.
   */
  ready(target: Target, needs: { languages: 'c' | 'c++' }): Promise<ReadyPair>
  /** The release of musl that the target's clients have at least. */
  muslRelease(target: Target): string
}

/** The oldest Alpine release that knows RELR relocations, and its musl: what a Python that the table does not know is held to. */
const OLDEST_MUSL = '1.2.4'

/** For builds in the image that we make ourselves, whose linker we know. */
const OWN_ENV: Record<string, string> = {
  // CPython's own flags ask for debug information, which nobody wants in a wheel, and is most of one.
  LDFLAGS: '-Wl,--strip-debug',
  // Else numpy.distutils takes LDFLAGS for all that its linker needs.
  NPY_DISTUTILS_APPEND_FLAGS: '1',
}

const PYTHONS: Record<string, { alpine: string }> = table.pythons
const ALPINES: Record<string, { musl: string }> = table.alpines

/** The release of musl on the Alpine of the target's Python. */
export function muslRelease(target: Target): string {
  const alpine = PYTHONS[`${target.major}.${target.minor}`]?.alpine
  return (alpine === undefined ? undefined : ALPINES[alpine]?.musl) ?? OLDEST_MUSL
}

/** Images of a container engine. `targets` are those of the settings; those that no image is known for are left out. */
export function createImages(deps: { engine: Engine; targets: Target[]; images: ReadyImages; clock: Clock; log: Logger }): Images {
  const { engine, images, log } = deps
  const withdrawn = createWithdrawn(deps)
  const pulling = new Set<string>()
  let silent = false

  return {
    languages: undefined,
    muslRelease,
    async targets() {
      try {
        const found = new Map<string, string>()
        for (const target of deps.targets) {
          const digest = await digestOf(target).catch((error: unknown) => {
            if (!(error instanceof MuslinError) || error.code !== 'image-unavailable') throw error
            withdrawn.add(target, error)
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
      const { builder, clean } = imageSources(target, images)
      if (!builder) throw new MuslinError('image-unavailable', `no image is known that builds for ${target.name}: name one by --builder-image`)
      try {
        return { builder: await engine.image(builder), clean: await engine.image(clean), env: builder.kind === 'build' ? OWN_ENV : {}, bundles: true }
      } catch (error) {
        if (error instanceof MuslinError && error.code === 'image-unavailable') withdrawn.add(target, error)
        throw error
      }
    },
  }

  async function digestOf(target: Target): Promise<string | undefined> {
    const { builder, clean } = imageSources(target, images)
    if (!builder || withdrawn.has(target)) return undefined
    const digest = await engine.digest(builder)
    // The digest of an image to be built is known without the engine, so it is asked for the clean one: is it alive?
    await engine.digest(clean)
    if (digest === undefined && !pulling.has(target.name)) void pull(target, builder)
    return digest
  }

  /** An absent ready-made image may be had from a registry; until it is here nothing is promised. */
  async function pull(target: Target, source: ImageSource): Promise<void> {
    pulling.add(target.name)
    try {
      await engine.image(source)
    } catch (error) {
      withdrawn.add(target, error)
    } finally {
      pulling.delete(target.name)
    }
  }
}

/**
 * What the two images of a target are made of: those of the settings, else our own builder on the official image of its Python, and
 * that. `builder` is undefined where none is known.
 */
export function imageSources(target: Target, images: ReadyImages): { builder: ImageSource | undefined; clean: ImageSource } {
  const python = officialImage(target)
  const ready = images.builder[target.name]
  const own = python === undefined ? undefined
    : { kind: 'build', name: `muslin-builder-${target.python}`, folder: `${BUILDERS}alpine`, args: { PYTHON_IMAGE: python } } as const
  return {
    builder: ready === undefined ? own : { kind: 'ready', ref: ready },
    // A ready builder image for a Python that the table does not know comes with no clean one: the official name is the best guess.
    clean: { kind: 'ready', ref: images.clean[target.name] ?? python ?? `python:${target.major}.${target.minor}-alpine` },
  }
}

function officialImage(target: Target): string | undefined {
  const python = `${target.major}.${target.minor}`
  const alpine = PYTHONS[python]?.alpine
  return alpine === undefined ? undefined : `python:${python}-alpine${alpine}`
}
