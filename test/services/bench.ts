/** What a worker works with: a real database, real blobs and logs, a clock that goes on when told, and a builder that the test plays. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { PRIORITY, type ClaimedJob, type Job, type JobKind, type Wish } from '../../src/domain/job.ts'
import { createHindrance, type Hindrance } from '../../src/services/hindrance.ts'
import { createJobRunner, type JobRunner } from '../../src/services/job-run.ts'
import type { BlobStore, BuildLogs, BuildWork, Builder, Built, Outcome, Store } from '../../src/services/ports.ts'
import { createRecipes, type Recipes } from '../../src/services/recipes.ts'
import { createRecipeFiles } from '../../src/storage/recipe-files.ts'
import { createBuildLogs } from '../../src/storage/build-logs.ts'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { temporaryFolder } from '../storage/folder.ts'

export const TARGET = 'cp313-musllinux_1_2_x86_64'
export const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: cffi>=1.17\n\nHello\n'
export const SDIST = Buffer.from('the bytes of an sdist')
export const silent = pino({ level: 'silent' })

export type Played = Outcome<Built>

export interface PlayedBuilder extends Builder {
  /** What a run comes to; both kinds are played by it. */
  play: (work: BuildWork, kind: JobKind) => Promise<Played>
  ready: Map<string, string>
}

export interface Bench {
  folder: string
  scratch: string
  store: Store
  blobs: BlobStore
  logs: BuildLogs
  recipes: Recipes
  clock: ManualClock
  /** By what the builder says, and the workers of the database before. */
  hindrance: Hindrance
  builder: PlayedBuilder
  /** Lines of the server's log. */
  lines: string[]
  /** A runner over these parts, or others in their place. */
  runner(parts?: Partial<Parameters<typeof createJobRunner>[0]>): JobRunner
  wish(change?: Partial<Wish>): Promise<Job>
  /** The next job, claimed by `worker` for a minute. */
  claim(worker?: string): Promise<ClaimedJob>
  job(id: number): Promise<Job>
  /** Resolves with the job once `is` holds for it: looked at whenever the table changes. */
  until(id: number, is: (job: Job) => boolean): Promise<Job>
  blob(sha256: string): Promise<string>
  close(): Promise<void>
}

export async function makeBench(): Promise<Bench> {
  const { folder, remove } = await temporaryFolder()
  const scratch = join(folder, 'scratch')
  await mkdir(scratch)
  const store = openSqlite({ file: join(folder, 'muslin.db') })
  const blobs = createDiskBlobs({ folder: join(folder, 'blobs') })
  const logs = createBuildLogs({ folder: join(folder, 'logs') })
  const clock = manualClock()
  const recipes = createRecipes({ builtIn: createRecipeFiles(), recipes: store.recipes, jobs: store.jobs, clock })
  const builder = playedBuilder()
  const hindrance = createHindrance({ jobs: store.jobs, workers: store.workers, recipes, readyTargets: async () => builder.ready, targets: [TARGET], clock })
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => { lines.push(line) } })
  const job = async (id: number): Promise<Job> => {
    const found = await store.jobs.get(id)
    if (!found) throw new Error(`there is no job ${id}`)
    return found
  }
  return {
    folder, scratch, store, blobs, logs, recipes, clock, hindrance, builder, lines, job,
    runner: (parts) => createJobRunner({
      store, blobs, logs, builder, branches: { index: async () => [] }, recipes, findNeeds: async () => [], sdist: async () => Readable.from([SDIST]), scratch, limits: LIMITS, clock, log, ...parts,
    }),
    wish: async (change) => (await store.jobs.wish(wishFor(change), clock.now())).job,
    async claim(worker = 'me') {
      const claimed = await store.jobs.claim(worker, { kinds: ['metadata', 'build', 'trial', 'rebuild'], targets: { [TARGET]: 'image-1' } }, clock.now(), clock.now() + 60_000)
      if (!claimed) throw new Error('there is nothing to claim')
      return claimed
    },
    async until(id, is) {
      for (;;) {
        const changed = Promise.withResolvers<void>()
        const unwatch = store.jobs.watch(changed.resolve)
        const now = await job(id)
        if (!is(now)) await changed.promise
        unwatch()
        if (is(now)) return now
      }
    },
    blob: async (sha256) => (await buffer(await blobs.read(sha256))).toString(),
    async close() {
      store.close()
      await remove()
    },
  }
}

const LIMITS = { cpu: 2, memory: 2 ** 30, disk: 2 ** 26, time: 60 }

export function wishFor(change: Partial<Wish> = {}): Wish {
  return {
    kind: 'build', project: 'demo', version: '1.0', sdist: { sha256: 'a'.repeat(64), filename: 'demo-1.0.tar.gz' }, target: TARGET,
    recipe: '', image: 'image-1', priority: PRIORITY.waiting, askedBy: '10.0.0.1', ...change,
  }
}

/** A finished wheel where a builder leaves it. */
export async function built(work: BuildWork, { bytes = 'the bytes of a wheel', metadata = METADATA, record = {} } = {}): Promise<Played> {
  const wheel = join(work.scratch, `${work.job.project}-${work.job.version}-${work.number}-cp313-${work.job.target}.whl`)
  await writeFile(wheel, bytes)
  return { ok: true, value: { wheel, metadata: Buffer.from(metadata), requiresPython: '>=3.9', system: undefined, reusable: undefined, learnt: undefined }, record }
}

function playedBuilder(): PlayedBuilder {
  const builder: PlayedBuilder = {
    play: (work) => built(work),
    ready: new Map([[TARGET, 'image-1']]),
    targets: async () => builder.ready,
    metadata: (work) => builder.play(work, 'metadata'),
    build: (work) => builder.play(work, 'build'),
    sweep: async () => 0,
  }
  return builder
}
