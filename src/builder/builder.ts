/** The builder: from an sdist to a wheel that was tried on a clean image (`building.md` sections 1 and 2). */
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { cleanLine } from '../domain/clean.ts'
import type { Failure } from '../domain/failure.ts'
import { LANGUAGES } from '../domain/languages.ts'
import { planBuild } from '../domain/plan.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Builder, BuildWork, Clock, Engine, Outcome } from '../services/ports.ts'
import type { Carried } from './carry.ts'
import { checkWheel } from './check.ts'
import { askMetadata, compile, prepare, repair, unpack, type Begun, type Source } from './compile.ts'
import { buildEnvironment } from './environment.ts'
import { Failed } from './failed.ts'
import { fetchWheels, requirementLines } from './fetch.ts'
import type { Images, ReadyPair } from './images.ts'
import { readSdist } from './sdist.ts'
import { createSession, PROCESSES, type Box, type Session } from './session.ts'
import { tryWheel } from './try.ts'
import { readWheel, WheelError } from './wheel-file.ts'

export type { Limits } from './session.ts'
export { createImages, type Images, type ReadyImages } from './images.ts'
export { createInterpreterImages } from './interpreter-images.ts'

/** No sdist that anybody builds comes near it, and reading so many headers takes a second. */
const MAX_ENTRIES = 200_000

/**
 * Code that forks without end leaves no process for our own commands in its run. Seen with docker: the client then fails as if the
 * engine were at fault, and the same sdist would be tried again for ever.
 */
const JAMMED = /\b(?:cannot|can't) fork\b|OCI runtime exec failed.*temporarily unavailable/i

export interface BuilderDeps {
  engine: Engine
  /** The engine's kind of them: `createImages` or `createInterpreterImages`. */
  images: Images
  /** Base URL at which the fetch container reaches Muslin, such as `http://172.30.0.1:8080`. */
  indexUrl: () => Promise<string>
  clock: Clock
  log: Logger
}

/** A builder on an engine. */
export function createBuilder(deps: BuilderDeps): Builder {
  const { engine, images, clock, log } = deps

  return {
    targets: () => images.targets(),
    sweep: () => engine.sweep(),
    metadata: (work) => outcome(work, async (session) => {
      const source = await plan(session)
      if (source.plan.metadata !== undefined) return { metadata: Buffer.from(source.plan.metadata) }
      const { ready } = await start(session, source)
      return { metadata: await withEnvironment(session, ready, source, async (box, begun) =>
        await askMetadata(box, begun) ?? metadataOfWheel(session, await compile(session, box, begun)),
      ) }
    }),
    build: (work) => outcome(work, async (session) => {
      const source = await plan(session)
      let known = work.known !== undefined
      if (!known && source.plan.metadata !== undefined) {
        await work.onMetadata(Buffer.from(source.plan.metadata))
        known = true
      }
      const { target, ready } = await start(session, source)
      const repaired = await withEnvironment(session, ready, source, async (box, begun) => {
        if (!known) {
          const metadata = await askMetadata(box, begun)
          if (metadata) await work.onMetadata(metadata)
        }
        await session.step('build')
        const wheel = await compile(session, box, begun)
        await session.step('repair')
        return repair(session, box, source, wheel, ready.bundles ? target : undefined)
      })
      await session.step('verify')
      const muslRelease = images.muslRelease(target)
      const { wheel, verdict } = await checkWheel(session, repaired, { target, muslRelease, expected: source.plan.expected })
      const { ok: _, metadata, requiresPython, ...figures } = verdict
      session.record['verify'] = { ...figures, muslRelease, filename: wheel.filename, sha256: wheel.sha256, size: wheel.size }
      session.record['try'] = await attempt(session, ready, target, wheel, metadata)
      return { wheel: wheel.path, metadata: Buffer.from(metadata), requiresPython, system: undefined, reusable: undefined, learnt: undefined }
    }),
  }

  async function attempt(session: Session, { builder, clean, bundles }: ReadyPair, target: Target, wheel: Carried, metadata: Uint8Array) {
    if (!clean) {
      const notTried = `no Python ${target.major}.${target.minor} that runs on musl is at hand`
      session.say(`the wheel is not tried: ${notTried}`)
      return { notTried }
    }
    await session.step('try')
    // A builder that cannot run on musl would fetch requirements for its own libc.
    const image = bundles ? builder.ref : clean.ref
    return tryWheel(session, wheel, { metadata, clean: clean.ref, image, indexUrl: await session.guard(deps.indexUrl()) })
  }

  /** Runs the steps and makes of their end what the port promises. */
  async function outcome<T>(work: BuildWork, steps: (session: Session) => Promise<T>): Promise<Outcome<T>> {
    const session = createSession({ engine, clock, work })
    session.record['target'] = work.job.target
    session.record['sdist'] = work.job.sdist
    try {
      const value = await steps(session)
      return { ok: true, value, record: await session.end() }
    } catch (error) {
      const record = await session.end()
      if (work.signal.aborted) throw work.signal.reason
      const failure = failureOf(error)
      if (!failure) throw error
      return { ok: false, failure: { ...failure, key: cleanLine(failure.key) }, record }
    }
  }

  async function plan(session: Session): Promise<Source> {
    await session.step('plan')
    const { work } = session
    const path = join(work.scratch, work.job.sdist.filename.endsWith('.zip') ? 'sdist.zip' : 'sdist.tar.gz')
    // An upstream that lets its bytes trickle would hold the slot, and is not the project's fault.
    const arrived = session.startDeadline({ class: 'infrastructure', key: `its sdist did not arrive within ${work.limits.time} s` })
    await session.guard(pipeline(await open(session), createWriteStream(path), { signal: session.signal }))
    arrived()
    const contents = await session.guard(readSdist(path, { entries: MAX_ENTRIES, bytes: work.limits.disk }))
    const planned = planBuild(contents)
    if ('failure' in planned) throw new Failed(planned.failure)
    const { backend, requires, expected, languages, metadata } = planned.plan
    session.record['plan'] = { backend, requires, expected, staticMetadata: metadata !== undefined, sources: contents.sources, languages }
    session.say(`${contents.entries} entries, backend ${cleanLine(backend)}, requires ${requires.map((text) => cleanLine(text)).join(', ') || 'nothing'}, expected ${expected}`)
    const foreign = languages.find((language) => images.languages?.includes(language) === false)
    if (foreign !== undefined) throw new Failed({ class: 'unsupported-language', key: LANGUAGES[foreign] })
    return { plan: planned.plan, path, size: (await stat(path)).size, folder: contents.folder }
  }

  /** Images first: making one takes minutes once, and is not the job's time. */
  async function start(session: Session, source: Source): Promise<{ target: Target; ready: ReadyPair }> {
    const target = parseTarget(session.work.job.target)
    if (!target) throw new MuslinError('unknown-target', `${session.work.job.target} is no target's name`)
    const ready = await session.guard(images.ready(target, { languages: source.plan.languages.includes('c++') ? 'c++' : 'c' }))
    session.record['images'] = { builder: ready.builder, clean: ready.clean }
    session.record['environment'] = environmentOf(session, ready)
    session.startDeadline({ class: 'timed-out', key: `${session.limits.time} s` })
    return { target, ready }
  }

  function environmentOf(session: Session, ready: ReadyPair): Record<string, string> {
    return { ...buildEnvironment(session.limits, session.work.sourceDate), ...ready.env }
  }

  /** Steps fetch and metadata up to where the backend can be asked anything; its hook for more requirements is code of the sdist. */
  async function withEnvironment<T>(session: Session, ready: ReadyPair, source: Source, use: (box: Box, begun: Begun) => Promise<T>): Promise<T> {
    // What is no plain requirement is refused before anything runs.
    requirementLines(source.plan.requires)
    await session.step('fetch')
    const indexUrl = await session.guard(deps.indexUrl())
    const fetch = (name: string) => (requirements: string[]): Promise<Carried[]> => fetchWheels(session, { image: ready.builder.ref, indexUrl, name, requirements })
    const begun = { ...source, environment: environmentOf(session, ready) }
    return session.within({ image: ready.builder.ref, network: 'none' }, async (box) => {
      const [wheels] = await Promise.all([fetch('fetched')(source.plan.requires), unpack(box, source)])
      await session.step('metadata')
      const used = await prepare(session, box, begun, wheels, fetch('fetched-more'))
      session.record['requirements'] = used.map(({ filename, sha256 }) => ({ filename, sha256 }))
      return use(box, begun)
    })
  }

  function failureOf(error: unknown): Failure | undefined {
    if (error instanceof Failed) return error.failure
    if (error instanceof WheelError) return { class: 'wrong-wheel', key: error.message }
    if (!(error instanceof MuslinError)) return undefined
    if (JAMMED.test(error.detail)) return { class: 'build-failed', key: `all ${PROCESSES} processes in use` }
    log.warn({ err: error }, 'a build was stopped by its surroundings')
    if (error.code === 'transfer-failed' && /no space left/i.test(error.detail)) return { class: 'out-of-disk', key: '' }
    return { class: 'infrastructure', key: error.detail }
  }
}

/** The sdist's bytes. Where they come too late for the job, they are let go. Throws Failed `no-sdist` where the upstream has them no more. */
async function open(session: Session): Promise<Readable> {
  const opening = session.work.sdist()
  try {
    return await session.guard(opening)
  } catch (error) {
    opening.then((sdist) => sdist.destroy(), () => undefined)
    // A file that was removed does not come back: as the surroundings' fault it would be asked for every five minutes, for ever.
    if (error instanceof MuslinError && error.code === 'no-such-file') throw new Failed({ class: 'no-sdist', key: '' })
    throw error
  }
}

async function metadataOfWheel(session: Session, wheel: Carried): Promise<Buffer> {
  session.say('the backend has no hook for metadata: it is read from the wheel')
  const member = (await readWheel(wheel.path)).find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name))
  if (!member) throw new Failed({ class: 'wrong-wheel', key: 'it has no METADATA' })
  return Buffer.from(await member.read())
}
