/** The builder: from an sdist to a wheel that was tried on a clean image (`building.md` sections 1 and 2). */
import type { Logger } from 'pino'
import { cleanLine } from '../domain/clean.ts'
import type { Failure } from '../domain/failure.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import { NO_RECIPE, type Recipe } from '../domain/recipe.ts'
import { makeSbom } from '../domain/sbom.ts'
import { MuslinError } from '../errors.ts'
import type { Builder, BuildWork, Clock, Engine, Outcome, WheelSystem } from '../services/ports.ts'
import type { Apks } from './apk/install.ts'
import { planSdist, readyImages } from './begin.ts'
import type { Carried } from './carry.ts'
import { compile, type Prepared } from './compile.ts'
import type { Begin, Begun, Source } from './conditions.ts'
import { Failed } from './failed.ts'
import { finish } from './finish.ts'
import type { Images } from './images.ts'
import { learntFrom } from './learnt.ts'
import { repair } from './repair.ts'
import { reuse } from './reuse.ts'
import { createFetched, inEnvironment } from './round.ts'
import { inRounds, type Ended } from './rounds.ts'
import { createSession, PROCESSES, type Box, type Session } from './session.ts'
import { systemOf } from './system.ts'
import { readWheel, WheelError } from './wheel-file.ts'

export type { Limits } from './session.ts'
export { createImages, type Images, type ReadyImages } from './images.ts'
export { createInterpreterImages } from './interpreter-images.ts'

/**
 * Code that forks without end leaves no process for our own commands in its run. Seen with docker: the client then fails as if the
 * engine were at fault, and the same sdist would be tried again for ever.
 */
const JAMMED = /\b(?:cannot|can't) fork\b|OCI runtime exec failed.*temporarily unavailable/i

export interface BuilderDeps {
  engine: Engine
  /** The engine's kind of them: `createImages` or `createInterpreterImages`. */
  images: Images
  /** Undefined where the engine installs nothing. */
  apks?: Apks | undefined
  /** Base URL at which the fetch container reaches Muslin, such as `http://172.30.0.1:8080`. */
  indexUrl: () => Promise<string>
  clock: Clock
  log: Logger
}

/** A builder on an engine. */
export function createBuilder(deps: BuilderDeps): Builder {
  const { engine, images, apks, clock, log } = deps

  return {
    targets: () => images.targets(),
    sweep: () => engine.sweep(),
    metadata: (work) => outcome(work, async (session) => {
      const source = await planSdist(session, images)
      if (source.plan.metadata !== undefined) return { metadata: Buffer.from(source.plan.metadata) }
      const ended = await rounds(session, await begin(session, source), () => true, async (box, begun, { metadata }) =>
        metadata ?? metadataOfWheel(session, (await compile(session, box, begun)).wheel))
      return { metadata: ended.value.made }
    }),
    build: (work) => outcome(work, async (session) => {
      const source = await planSdist(session, images)
      let known = work.known !== undefined
      const tell = async (metadata: Buffer | undefined) => {
        if (known || metadata === undefined) return
        known = true
        await work.onMetadata(metadata)
      }
      if (source.plan.metadata !== undefined) await tell(Buffer.from(source.plan.metadata))
      const given = await begin(session, source)
      const finishing = { ...given, apks, muslRelease: images.muslRelease(given.target), expected: source.plan.expected }
      const reused = await reuse(session, finishing)
      if (reused) return { ...reused, learnt: undefined }
      const ended = await rounds(session, given, () => !known, async (box, begun, { metadata }) => {
        await tell(metadata)
        return wheelOf(session, given, box, begun)
      })
      const { made: { wheel, system }, used } = ended.value
      session.record['repaired'] = { filename: wheel.filename, sha256: wheel.sha256, size: wheel.size }
      const built = await finish(session, wheel, { ...finishing, system, sbom: sbomOf(session, system, used) })
      return { ...built, learnt: learntFrom(session, ended, used) }
    }),
  }

  async function begin(session: Session, source: Source): Promise<Begin> {
    if (session.work.recipe.network) {
      if (!engine.opensNetworks) throw new Failed({ class: 'bad-recipe', key: 'it wants the network, which builds can have in a container alone' })
      session.say('the code of the sdist may use the network, as its recipe says')
    }
    const started = await readyImages(session, images, source)
    return { ...started, source, indexUrl: await session.guard(deps.indexUrl()) }
  }

  /** `used`: the wheels of the environment that it was made in. */
  function rounds<T>(
    session: Session, given: Begin, wantsMetadata: () => boolean, make: (box: Box, begun: Begun, prepared: Prepared) => Promise<T>,
  ): Promise<Ended<{ made: T; used: Carried[] }>> {
    const fetched = createFetched(session, given)
    return inRounds(session, { ...given, apks, now: clock.now() }, (conditions) =>
      inEnvironment(session, { source: given.source, conditions, fetched, wantsMetadata: wantsMetadata() }, async (box, begun, prepared) =>
        ({ made: await make(box, begun, prepared), used: prepared.used })))
  }

  async function wheelOf(session: Session, { ready, target }: Begin, box: Box, begun: Begun): Promise<{ wheel: Carried; system: WheelSystem | undefined }> {
    await session.step('build')
    const compiled = await compile(session, box, begun)
    if (ready.clean) session.ahead({ image: ready.clean.ref })
    await session.step('repair')
    const repaired = await repair(session, box, begun, compiled, ready.bundles ? target : undefined)
    return { wheel: repaired.wheel, system: await systemOf(session, box, repaired, async () => apks?.of(session, ready.builder)) }
  }

  /** Runs the steps and makes of their end what the port promises. */
  async function outcome<T>(work: BuildWork, steps: (session: Session) => Promise<T>): Promise<Outcome<T>> {
    const session = createSession({ engine, clock, work })
    session.record['target'] = work.job.target
    session.record['sdist'] = work.job.sdist
    session.record['recipe'] = said(work.recipe)
    try {
      const value = await steps(session)
      return { ok: true, value, record: await session.end() }
    } catch (thrown) {
      // Once it is to stop, whatever broke off broke off for that.
      const error: unknown = session.signal.aborted ? session.signal.reason : thrown
      const record = await session.end()
      if (work.signal.aborted) throw work.signal.reason
      const failure = failureOf(error)
      if (!failure) throw error
      const needs = error instanceof Failed && error.needs !== undefined ? [error.needs] : undefined
      const away = failure.class === 'infrastructure' && error instanceof MuslinError && error.code === 'engine-unavailable'
      return { ok: false, failure: { ...failure, key: cleanLine(failure.key) }, record, needs, ...away && { away } }
    }
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

/** What a recipe says, without what it leaves as it is. */
function said(recipe: Recipe): Partial<Recipe> {
  return Object.fromEntries(Object.entries(recipe).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(NO_RECIPE[name as keyof Recipe])))
}

function sbomOf({ work: { job } }: Session, system: WheelSystem | undefined, used: Carried[]): string {
  const requirements = used.map(({ filename, sha256 }) => {
    const { name, version } = parseWheelFilename(filename)!
    return { project: name, version, filename, sha256 }
  })
  return makeSbom({ project: job.project, version: job.version, sdist: job.sdist, system, requirements })
}

async function metadataOfWheel(session: Session, wheel: Carried): Promise<Buffer> {
  session.say('the backend has no hook for metadata: it is read from the wheel')
  const member = (await readWheel(wheel.path)).find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name))
  if (!member) throw new Failed({ class: 'wrong-wheel', key: 'it has no METADATA' })
  return Buffer.from(await member.read())
}
