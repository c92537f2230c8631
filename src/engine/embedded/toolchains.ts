/** The images of the embedded engine: interpreters of this machine, alone or with compilers for musl. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { MuslinError } from '../../errors.ts'
import type { ImageSource } from '../../services/ports.ts'
import { imageDigest } from '../image.ts'
import { makeCache, makeCompiler, WARMTHS, type Warmth } from './compiler.ts'
import { EMBEDDED, type Interpreter } from './interpreters.ts'
import { pipWheel, zigWheel } from './pins.ts'
import { sweepUnpublished } from './publish.ts'
import { makePythonRoot } from './python-root.ts'
import { rootOf } from './root.ts'
import type { Root, Roots } from './roots.ts'
import type { OpenWheel } from './unpack.ts'

export interface ToolchainsDeps {
  /** Where they lie, over restarts. */
  folder: string
  interpreters: Interpreter[]
  /** Of this machine, as in platform tags. */
  cpu: string
  wheel: OpenWheel
  log: Logger
}

/**
 * Images by interpreter. The first that compiles takes some ten seconds of work and a download. What takes a minute (C++) follows in the
 * background: whoever needs it waits for that.
 */
export function createToolchains({ interpreters, cpu, wheel, log, ...deps }: ToolchainsDeps): Roots {
  // Programs of it are run in other folders than ours.
  const folder = resolve(deps.folder)
  const making = new Map<string, Promise<void>>()
  const roots = new Map<string, Root>()
  const digests = new Map<string, Promise<string>>()
  let grounded: Promise<void> | undefined

  return {
    async digest(source) {
      const interpreter = await present(source)
      return interpreter && digestOf(source, interpreter)
    },
    async image(source) {
      const interpreter = await present(source)
      if (!interpreter) throw new MuslinError('image-unavailable', `${source.kind === 'interpreter' ? `the interpreter ${source.python}` : 'an image'} is not to be had: the embedded engine has this machine's own interpreters alone`)
      await (grounded ??= makeGround().catch((error: unknown) => { grounded = undefined; throw error }))
      const digest = await digestOf(source, interpreter)
      const python = join(folder, `python-${await pythonKey(interpreter)}`)
      const compiles = source.kind === 'interpreter' ? source.compiles : undefined
      const compiler = join(folder, `zig-${await compilerKey()}`)
      await together([
        once(python, () => makePythonRoot(python, { interpreter, cpu, wheel, log })),
        ...(compiles ? [makeReady(compiler, interpreter, compiles.languages)] : []),
      ])
      const ref = `${digest.slice(0, 12)} of ${interpreter.executable}`
      // The same reference may show more from now on, to boxes that are made later.
      roots.set(ref, rootOf(interpreter, { python, ...(compiles ? { compiler, cache: warmest(compiler) } : {}) }))
      return { ref, digest }
    },
    root(ref) {
      const root = roots.get(ref)
      if (!root) throw new MuslinError('image-unavailable', `${ref} was not made ready by this process`)
      return root
    },
  }

  /** Its interpreter, where that is one of ours and still there. */
  async function present(source: ImageSource): Promise<Interpreter | undefined> {
    if (source.kind !== 'interpreter') return undefined
    const interpreter = interpreters.find(({ executable }) => executable === source.python)
    return interpreter && access(interpreter.executable).then(() => interpreter, () => undefined)
  }

  /** The rest follows in the background, since some build will need it, and would wait for it. */
  async function makeReady(compiler: string, { executable }: Interpreter, languages: 'c' | 'c++'): Promise<void> {
    await once(compiler, () => makeCompiler(compiler, { cpu, python: executable, wheel, log }))
    await warm(compiler, languages, false)
    warm(compiler, 'programs', true).catch((error: unknown) => log.warn({ err: error }, 'what builds share is not compiled: it is tried again at the next one'))
  }

  async function warm(compiler: string, warmth: Warmth, idle: boolean): Promise<void> {
    let before: string | undefined
    for (const stage of WARMTHS.slice(0, WARMTHS.indexOf(warmth) + 1)) {
      const [path, given] = [cacheOf(compiler, stage), { compiler, warmth: stage, before, idle, log }]
      await once(path, () => makeCache(path, given))
      before = path
    }
  }

  /** The warmest one there is. */
  function warmest(compiler: string): string {
    const paths = WARMTHS.map((warmth) => cacheOf(compiler, warmth))
    return paths.findLast((path) => existsSync(path)) ?? ''
  }

  async function makeGround(): Promise<void> {
    await mkdir(folder, { recursive: true })
    await sweepUnpublished(folder)
  }

  /** Wishes for one thing at once share the work, and its failure. */
  function once(key: string, make: () => Promise<void>): Promise<void> {
    const begun = making.get(key) ?? make().finally(() => making.delete(key))
    making.set(key, begun)
    return begun
  }

  /** The same on every machine: all of our own files, with the pins among them, and which Python it is. */
  async function digestOf(source: ImageSource, { version, libc }: Interpreter): Promise<string> {
    const compiles = source.kind === 'interpreter' ? source.compiles : undefined
    return ours({ python: version, libc, ...(compiles ? { target: compiles.target } : {}) })
  }

  /** Another Python at the same path, installed since, is another one. */
  async function pythonKey({ executable, version }: Interpreter): Promise<string> {
    const { size, mtimeMs } = await stat(executable)
    return key([await ours({}), pipWheel().sha256, version, executable, size, mtimeMs])
  }

  async function compilerKey(): Promise<string> {
    return key([await ours({}), zigWheel(cpu).sha256])
  }

  /** Asked every few seconds, of files that stay as they are while we run. */
  function ours(args: Record<string, string>): Promise<string> {
    const name = JSON.stringify(args)
    const begun = digests.get(name) ?? imageDigest(EMBEDDED, args)
    digests.set(name, begun)
    return begun
  }
}

/** All of them have ended when it does: a failure of one leaves no other at work. */
async function together(works: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((work) => work.status === 'rejected')
  if (failed) throw failed.reason
}

function cacheOf(compiler: string, warmth: Warmth): string {
  return `${compiler}-cache-${warmth}`
}

function key(parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}
