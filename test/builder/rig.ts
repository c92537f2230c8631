/** A builder on an engine of the test's own answers, with work for it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { pino } from 'pino'
import { pack } from 'tar-stream'
import { afterAll, beforeAll } from 'vitest'
import type { Apks } from '../../src/builder/apk/install.ts'
import { createBuilder, createImages, type Images } from '../../src/builder/builder.ts'
import { NO_RECIPE, type Recipe } from '../../src/domain/recipe.ts'
import { parseTarget } from '../../src/domain/target.ts'
import type { BuildWork, Clock, Engine } from '../../src/services/ports.ts'
import { makeElf } from '../fixtures/make-elf.ts'
import { wheelContents, zip, type Contents } from '../fixtures/make-wheel.ts'
import { manualClock } from '../manual-clock.ts'
import { fakeEngine, type Answer, type FakeRun } from './fake-engine.ts'

export const TARGET = parseTarget('cp313-musllinux_1_2_x86_64')!
export const WHEEL = 'demo-1.0-py3-none-any.whl'
export const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\n\nHello\n'
export const SETUP = { 'demo-1.0/setup.py': 'setup()' }

/** Wheels as builds may give them, and a folder for everything of a test file; filled before its first test. */
export const made = {} as { root: string; wheel: Buffer; needy: Buffer; native: Buffer }

/** To be called once in a test file. */
export function useBuilds(): void {
  beforeAll(async () => {
    made.root = await mkdtemp(join(tmpdir(), 'muslin-builder-'))
    made.wheel = await pureWheel()
    made.needy = await pureWheel('kind>=1')
    made.native = await wheelOf({ '_demo.so': makeElf({}) }, 'cp313-cp313-linux_x86_64')
  })
  afterAll(() => rm(made.root, { recursive: true }))
}

/** With these requirements. */
export async function pureWheel(...requirements: string[]): Promise<Buffer> {
  return wheelOf({ 'demo.py': 'x = 1\n' }, 'py3-none-any', METADATA.replace('\n\n', `\n${requirements.map((one) => `Requires-Dist: ${one}\n`).join('')}\n`))
}

export async function wheelOf(files: Contents, tag: string, metadata = METADATA): Promise<Buffer> {
  return Buffer.from(await zip(wheelContents(files, { tags: [tag], purelib: tag.endsWith('-any'), metadata })))
}

/** A build in which all goes well. */
export const well: Answer = (command, run) => {
  const answer = (value: unknown) => { run.files.set('muslin/answer.json', Buffer.from(JSON.stringify(value))) }
  if (command.includes('fetch.py')) run.files.set('muslin/wheels/setuptools-80.0-py3-none-any.whl', Buffer.from('a wheel'))
  if (command.includes('hooks.py ask')) answer({ requires: [], ...wantsMetadata(run) && { metadata: METADATA } })
  if (command.includes('hooks.py build')) run.files.set(`muslin/out/${WHEEL}`, made.wheel)
  if (command.includes('try.py')) answer(JSON.parse(String(run.files.get('muslin/modules.json'))).map((module: string) => ({ module, outcome: 'ok' })))
  return {}
}

/** What hooks.py was told. */
export function wantsMetadata(run: FakeRun): boolean {
  return (JSON.parse(String(run.files.get('muslin/build.json'))) as { wantsMetadata: boolean }).wantsMetadata
}

/** As `well`, but this command goes otherwise. */
export const but = (words: string, otherwise: Answer): Answer => (command, run) => command.includes(words) ? otherwise(command, run) : well(command, run)

export interface Options {
  sdist?: Record<string, string>
  known?: Buffer
  signal?: AbortSignal
  memory?: number
  images?: (engine: Engine, clock: Clock) => Images
  apks?: Apks
  recipe?: Partial<Recipe>
  result?: BuildWork['result']
  nativeOnly?: boolean
}

export async function rig(answer: Answer, options: Options = {}) {
  const clock = manualClock()
  const fake = fakeEngine(answer)
  const quiet = { clock, log: pino({ level: 'silent' }) }
  const builder = createBuilder({
    ...quiet,
    engine: fake.engine, images: options.images?.(fake.engine, clock) ?? createImages({
      engine: fake.engine, targets: [TARGET], images: { builder: { [TARGET.name]: 'builder' }, clean: { [TARGET.name]: 'clean' } }, ...quiet,
    }),
    apks: options.apks,
    indexUrl: async () => 'http://muslin:8080',
  })
  const told: string[] = []
  let log = ''
  const work = {
    job: { id: 7, project: 'demo', version: '1.0', target: TARGET.name, sdist: { sha256: '0'.repeat(64), filename: 'demo-1.0.tar.gz' } },
    recipe: { ...NO_RECIPE, ...options.recipe }, nativeOnly: options.nativeOnly ?? false, limits: { cpu: 2, memory: options.memory ?? 2 ** 30, disk: 2 ** 26, time: 60 }, result: options.result,
    number: 2, sdist: async () => sdist(options.sdist ?? SETUP), sourceDate: 1_700_000_000, known: options.known,
    onMetadata: async (metadata: Buffer) => { told.push(`metadata ${metadata.length}`) },
    onStep: async (step: string) => { told.push(step) },
    log: { write: (chunk: Uint8Array | string) => { log += chunk.toString() }, close: async () => undefined },
    signal: options.signal ?? new AbortController().signal,
    scratch: await mkdtemp(join(made.root, 'scratch-')),
  }
  return { ...fake, builder, clock, work, told, log: () => log }
}

export function sdist(files: Record<string, string>): Readable {
  const archive = pack()
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text)
  archive.finalize()
  return (archive as unknown as NodeJS.ReadableStream).pipe(createGzip())
}
