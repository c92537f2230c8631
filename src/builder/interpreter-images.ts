/** Images of an engine that has none: this machine's own CPythons, with a compiler for musl beside them. */
import type { Logger } from 'pino'
import type { Target } from '../domain/target.ts'
import { parseTarget } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, Engine, ImageSource } from '../services/ports.ts'
import { muslRelease, type Images } from './images.ts'
import { createWithdrawn } from './withdrawn.ts'

/** A CPython of this machine. */
export interface LocalPython {
  executable: string
  /** `3.13` */
  minor: string
  libc: 'glibc' | 'musl'
  headers: boolean
  /** It runs pip in an environment of its own. With headers it builds extensions too. */
  complete: boolean
}

/** What the zig toolchain compiles. */
const LANGUAGES = ['c', 'c++', 'cython'] as const
const MUSL = 'musllinux_1_2'

export interface InterpreterImagesDeps {
  engine: Engine
  interpreters: LocalPython[]
  /** Those of the settings, to which each CPython with headers adds its own. */
  targets: Target[]
  /** Of this machine, as in platform tags. */
  cpu: string
  clock: Clock
  log: Logger
}

/** Images by interpreters. A target without an interpreter that has its headers is left out; so is one for another CPU. */
export function createInterpreterImages(deps: InterpreterImagesDeps): Images {
  const { engine, interpreters, cpu } = deps
  const withdrawn = createWithdrawn(deps)
  const targets = new Map(interpreterTargets(deps).map((target) => [target.name, target]))

  return {
    languages: LANGUAGES,
    muslRelease,
    async targets() {
      const found = new Map<string, string>()
      for (const target of targets.values()) {
        const source = builderSource(target, 'c')
        if (!source || withdrawn.has(target)) continue
        const digest = await engine.digest(source).catch((error: unknown) => withdrawn.add(target, error))
        if (digest !== undefined) found.set(target.name, digest)
      }
      return found
    },
    async ready(target, needs) {
      const source = builderSource(target, needs.languages)
      if (!source || !targets.has(target.name)) throw new MuslinError('image-unavailable', `no CPython ${target.major}.${target.minor} with its headers is on this machine: muslin doctor says how to get one`)
      const clean = cleanSource(target)
      try {
        return {
          builder: await engine.image(source),
          clean: clean && await engine.image(clean),
          env: { CC: 'cc', CXX: 'c++', AR: 'ar', RANLIB: 'ranlib', STRIP: 'strip' },
          bundles: false,
        }
      } catch (error) {
        if (error instanceof MuslinError && error.code === 'image-unavailable') withdrawn.add(target, error)
        throw error
      }
    },
  }

  /** One of glibc goes first: more projects have wheels for it, and build requirements are taken as wheels alone. */
  function builderSource(target: Target, languages: 'c' | 'c++'): ImageSource | undefined {
    const able = interpreters.filter((python) => builds(python) && serves(python, target))
    const python = able.find(({ libc }) => libc === 'glibc') ?? able[0]
    return python && { kind: 'interpreter', python: python.executable, compiles: { target: `${cpu}-linux-musl`, languages } }
  }

  function cleanSource(target: Target): ImageSource | undefined {
    const python = interpreters.find((one) => one.libc === 'musl' && one.complete && serves(one, target))
    return python && { kind: 'interpreter', python: python.executable }
  }
}

/** What can be built on this machine: the settings' targets for its CPU, and one for each CPython with headers. */
export function interpreterTargets({ interpreters, targets, cpu }: Pick<InterpreterImagesDeps, 'interpreters' | 'targets' | 'cpu'>): Target[] {
  const able = interpreters.filter(builds)
  const own = able.map(({ minor }) => parseTarget(`cp${minor.replace('.', '')}-${MUSL}_${cpu}`)).filter((target) => target !== undefined)
  // What zig links needs a musl that is no older than its own headers' time: earlier levels are not for it.
  const set = targets.filter((target) => target.cpu === cpu && target.name.includes(`-${MUSL}_`) && able.some((python) => serves(python, target)))
  return [...new Map([...set, ...own].map((target) => [target.name, target])).values()]
}

function builds({ headers, complete }: LocalPython): boolean {
  return headers && complete
}

function serves(python: LocalPython, target: Target): boolean {
  return python.minor === `${target.major}.${target.minor}`
}
