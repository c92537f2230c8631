/** One run of a job, from its claim to the transaction that ends it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import { FAILURE_CLASSES, retryAfterMs, type Failure } from '../domain/failure.ts'
import { hasFallback } from '../domain/fallback.ts'
import { remedyOf } from '../domain/remedy.ts'
import { parseTarget } from '../domain/target.ts'
import type { ClaimedJob } from '../domain/job.ts'
import type { ProjectPage } from '../domain/page.ts'
import { keepBlob } from './keep-blob.ts'
import { createKeptResults } from './kept-results.ts'
import type { FindNeeds } from './needs.ts'
import type { ApkBranches, BlobStore, BuildLogs, BuildRecord, BuildWork, Builder, Built, BuiltWheel, Clock, LogSink, Outcome, Store } from './ports.ts'
import { createPublishWheel } from './publish-wheel.ts'
import { digestWith, withoutEmpty } from './recipe-digest.ts'
import type { Applied, Recipes } from './recipes.ts'

/**
 * Runs a claimed job to its end. Throws only when the run must be given back: lease lost, cancelled, shutdown, or (`engine-unavailable`)
 * the engine is away. `stopping` says
 * that the server stops, although this run may still end: the index that it fetches from goes away, which is no failure of the build.
 */
export type JobRunner = (job: ClaimedJob, worker: string, signal: AbortSignal, stopping: AbortSignal) => Promise<void>

/** A job that took so many workers down with it is not tried again by itself. */
const MAX_ATTEMPTS = 5
/** An engine that is restarted may take the runs of a job away so often; then it fails, and is tried again in its time. */
const MOST_AWAY = 3
const DEADLY: Failure = { class: 'infrastructure', key: `it took ${MAX_ATTEMPTS} workers down` }

type Failed = Omit<Extract<Outcome<never>, { ok: false }>, 'ok'>

/** Also where it was away before the builder had begun. */
function isAway(error: unknown, { attempts }: ClaimedJob): boolean {
  return error instanceof MuslinError && error.code === 'engine-unavailable' && attempts <= MOST_AWAY
}

/** What the newest of these wheels has from its system. */
function apksOf(wheels: BuiltWheel[]): string[] {
  const [newest] = wheels.toSorted((a, b) => b.number - a.number)
  return [...new Set(newest?.system?.bundled.map(({ apk }) => apk))].sort()
}

/** 1980: the oldest time a zip file can hold, for sdists whose page tells no upload time. */
const NO_UPLOAD_TIME = 315_532_800

export function createJobRunner(deps: {
  store: Store
  blobs: BlobStore
  logs: BuildLogs
  builder: Builder
  branches: Pick<ApkBranches, 'index'>
  recipes: Pick<Recipes, 'forProject' | 'learn'>
  findNeeds: FindNeeds
  /** The sdist's whole bytes, fetched from the upstream where they are not kept yet. */
  sdist: (sha256: string, filename: string) => Promise<Readable>
  scratch: string
  /** What a build may use where its recipe says nothing else: cores, bytes, bytes, seconds. */
  limits: BuildWork['limits']
  clock: Clock
  log: Logger
}): JobRunner {
  const { store, blobs, builder, clock } = deps
  const results = createKeptResults({ results: store.results, blobs, branches: deps.branches, clock })
  const publish = createPublishWheel({ store, blobs, clock })

  return async function run(job, worker, signal, stopping) {
    const { build } = job
    const log = deps.log.child({ job: job.id, build, project: job.project, version: job.version, target: job.target, kind: job.kind })
    let sink: LogSink | undefined
    let scratch: string | undefined
    try {
      sink = await deps.logs.open(build)
      scratch = await mkdtemp(join(deps.scratch, `${build}-`))
      sink.write(`Muslin: ${job.kind} ${job.project} ${job.version} for ${job.target} from ${job.sdist.filename}\n`)
      log.info('the job begins')
      if (job.attempts > MAX_ATTEMPTS) return await fail(job, DEADLY, undefined, sink)
      const applied = await todays(job, sink)
      if ('follows' in applied) return log.info(applied, 'the job ends as another one does: the recipe changed, and that one is the same')
      const work = await makeWork(job, applied, signal, sink, scratch)
      const failed = await runKind(job, worker, work, applied)
      if (failed?.failure.class === 'infrastructure' && stopping.aborted) throw new Error(`the server stops: ${failed.failure.key}`)
      if (failed?.away && job.attempts <= MOST_AWAY) {
        sink.write('Muslin: the engine is away; once it is back this is run again\n')
        throw new MuslinError('engine-unavailable', failed.failure.key)
      }
      const waits = failed?.needs && failed.needs.length > 0 ? await waitFor(job, failed, failed.needs, work) : undefined
      if (waits === 'waits') return log.info({ needs: failed?.needs }, 'the job waits for what it needs')
      const failure = waits ?? failed?.failure
      if (failure) await fail(job, failure, failed?.record, sink)
      log.info(failure ? { failure } : {}, failure ? 'the job failed' : 'the job is done')
    } catch (error) {
      if (signal.aborted || stopping.aborted || isAway(error, job)) throw error
      log.error({ err: error }, 'the job failed by the server\'s own fault')
      const detail = error instanceof MuslinError ? error.detail : 'an unexpected error, see the server\'s log'
      await fail(job, { class: 'infrastructure', key: detail }, undefined, sink)
    } finally {
      await sink?.close()
      if (scratch !== undefined) await rm(scratch, { recursive: true, force: true })
    }
  }

  function runKind(job: ClaimedJob, worker: string, work: BuildWork, applied: Applied): Promise<Failed | undefined> {
    if (job.kind === 'metadata') return findMetadata(job, work, applied)
    return job.kind === 'trial' ? tryOut(job, work, applied) : buildWheel(job, worker, work, applied)
  }

  /** The recipe may have changed since the job was queued, by an upgrade too: what comes of it is remembered under the one that it is built by. */
  async function todays(job: ClaimedJob, log: LogSink): Promise<Applied | { follows: number }> {
    const applied = (await deps.recipes.forProject(job.project))(job.version, job.target)
    if (applied.digest === job.recipe) return applied
    log.write('Muslin: the recipe changed since the job was queued; it is built by the one of today\n')
    const rekeyed = await store.jobs.rekey(job.id, applied.digest, clock.now())
    if (typeof rekeyed === 'string') return applied
    log.write(`Muslin: that is what job ${rekeyed.follows} is for; this one ends as it does\n`)
    return rekeyed
  }

  async function makeWork(job: ClaimedJob, { recipe, digest }: Applied, signal: AbortSignal, log: LogSink, scratch: string): Promise<BuildWork> {
    const known = await store.metadata.get(job.sdist.sha256, job.target)
    const earlier = await wheelsOf(job)
    const page = await pageOf(job)
    return {
      job,
      number: 1 + Math.max(0, ...earlier.map((wheel) => wheel.number)),
      sdist: () => deps.sdist(job.sdist.sha256, job.sdist.filename),
      sourceDate: sourceDate(job, page),
      recipe,
      nativeOnly: page !== undefined && hasFallback(page.files, job.version, parseTarget(job.target)),
      limits: { ...deps.limits, ...recipe.limits },
      // Whoever asks for a rebuild wants another wheel than the one that there is.
      result: job.kind === 'build' ? await results.fitting(job, digest) : undefined,
      ...job.kind === 'rebuild' && { fresh: apksOf(earlier) },
      known: known === undefined ? undefined : await buffer(await blobs.read(known)),
      onMetadata: async (metadata) => {
        // Promises answer with what is kept.
        if (job.kind === 'trial') return
        await store.metadata.set(job.sdist.sha256, job.target, await keepBlob(blobs, [metadata]))
        await store.jobs.metadataKnown(job.sdist.sha256, job.target, clock.now())
      },
      onStep: async (step) => {
        log.write(`Muslin: step ${step}\n`)
        await store.jobs.step(job.build, step, clock.now())
      },
      log,
      signal,
      scratch,
    }
  }

  async function findMetadata(job: ClaimedJob, work: BuildWork, applied: Applied): Promise<Failed | undefined> {
    const outcome = work.known ? { ok: true as const, value: { metadata: work.known }, record: {} } : recorded(await builder.metadata(work), applied)
    if (!outcome.ok) return outcome
    await work.onMetadata(outcome.value.metadata)
    await store.jobs.done(job.build, outcome.record, clock.now())
    return undefined
  }

  /** The wheel goes away with the scratch folder. */
  async function tryOut(job: ClaimedJob, work: BuildWork, applied: Applied): Promise<Failed | undefined> {
    const outcome = recorded(await builder.build(work), applied)
    if (!outcome.ok) return outcome
    work.log.write(`Muslin: ${basename(outcome.value.wheel)} was built and tried; of a trial nothing is kept\n`)
    await store.jobs.done(job.build, outcome.record, clock.now())
    return undefined
  }

  /** By version, not by sdist: a release may have two, and the wheels of both would bear one name. */
  async function wheelsOf({ project, version, target }: ClaimedJob): Promise<BuiltWheel[]> {
    return (await store.wheels.wheels(project)).filter((wheel) => wheel.version === version && wheel.target === target)
  }

  async function buildWheel(job: ClaimedJob, worker: string, work: BuildWork, applied: Applied): Promise<Failed | undefined> {
    // A wheel that is there satisfies every wish but somebody's for another one.
    const [there] = job.kind === 'rebuild' ? [] : await wheelsOf(job)
    if (there) {
      work.log.write(`Muslin: ${there.filename} is there already, nothing was built\n`)
      await store.jobs.done(job.build, {}, clock.now())
      return undefined
    }
    const outcome = recorded(await builder.build(work), applied)
    if (!outcome.ok) return outcome
    if (await publish(job, worker, work, outcome.value, outcome.record)) await remember(job, outcome.value, applied)
    return undefined
  }

  /** What the next builds have of this one. The wheel is there, whatever becomes of it. */
  async function remember(job: ClaimedJob, { reusable, learnt, system }: Built, applied: Applied): Promise<void> {
    try {
      const note = `learnt from the build of ${job.version} for ${job.target}`
      if (learnt) await deps.recipes.learn({ project: job.project, version: job.version, target: job.target, recipe: learnt.recipe, note, evidence: learnt.evidence })
      // By what was learnt it would have been built at once: other targets are. What a person wrote meanwhile is not in it.
      if (reusable) await results.keep(job, learnt ? digestWith(learnt.recipe, job, applied.layers) : applied.digest, { ...reusable, system })
    } catch (error) {
      deps.log.warn({ err: error, job: job.id }, 'what the build taught could not be kept')
    }
  }

  /** The job gives way to those that make what it needs; the failure where that cannot be. */
  async function waitFor(job: ClaimedJob, { failure, record }: Failed, requirements: string[], work: BuildWork): Promise<'waits' | Failure> {
    const needs = await deps.findNeeds(job, requirements, work.recipe.constraints)
    if ('failure' in needs) return needs.failure
    for (const { requirement, wish } of needs) work.log.write(`Muslin: ${wish.project} ${wish.version} is to be built first, for ${requirement}\n`)
    const waits = await store.jobs.waitFor(job.build, { needs, failure, record }, clock.now())
    return typeof waits === 'object' ? waits.refused : 'waits'
  }

  async function fail(job: ClaimedJob, failure: Failure, record: BuildRecord | undefined, log: LogSink | undefined): Promise<void> {
    log?.write(`Muslin: failed, ${failure.class}: ${job.project} ${job.version} ${FAILURE_CLASSES[failure.class].cause(failure.key)}\nMuslin: ${remedyOf(failure)}\n`)
    // A trial is a person's question: once answered, nobody asks it again by itself.
    const after = failure === DEADLY || job.kind === 'trial' ? undefined : retryAfterMs(failure.class)
    await store.jobs.fail(job.build, failure, record, clock.now(), after === undefined ? undefined : clock.now() + after)
  }

  /** The upstream's, as it is kept. */
  async function pageOf(job: ClaimedJob): Promise<ProjectPage | undefined> {
    const stored = await store.pages.get(job.project)
    return stored?.json && JSON.parse(stored.json.toString()) as ProjectPage
  }
}

/** Seconds since 1970 at which the sdist was uploaded, as its page says (PEP 700). */
function sourceDate(job: ClaimedJob, page: ProjectPage | undefined): number {
  const time = page?.files.find((file) => file.hashes['sha256'] === job.sdist.sha256)?.['upload-time']
  const parsed = time ? Date.parse(time) : Number.NaN
  return Number.isNaN(parsed) ? NO_UPLOAD_TIME : Math.max(NO_UPLOAD_TIME, Math.floor(parsed / 1000))
}

function recorded<T>(outcome: Outcome<T>, { recipe, digest }: Applied): Outcome<T> {
  return digest === '' ? outcome : { ...outcome, record: { ...outcome.record, recipe: { digest, ...withoutEmpty(recipe) } } }
}
