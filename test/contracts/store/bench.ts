import { afterEach, beforeEach, expect } from 'vitest'
import { PRIORITY, type ClaimedJob, type Job, type Wish } from '../../../src/domain/job.ts'
import type { BuiltWheel, Store } from '../../../src/services/ports.ts'

/** What a test of a store starts from: an empty one, and how to open the same one as another process would. */
export type MakeStore = () => Promise<{ store: Store; another: () => Promise<Store>; cleanup: () => Promise<void> }>

export const TARGET = 'cp313-musllinux_1_2_x86_64'
/** What a worker wants that takes no trials. */
export const BOTH = { kinds: ['metadata', 'build'] as Wish['kind'][], targets: { [TARGET]: 'sha256:image' } as Record<string, string> }
/** What a worker wants that takes every job. */
export const ALL = { ...BOTH, kinds: ['metadata', 'build', 'trial', 'rebuild'] as Wish['kind'][] }
export const FAILURE = { class: 'missing-header', key: 'ffi.h' } as const

export function wishFor(change: Partial<Wish> = {}): Wish {
  return {
    kind: 'build', project: 'cffi', version: '1.17', sdist: { sha256: 'a'.repeat(64), filename: 'cffi-1.17.tar.gz' }, target: TARGET,
    recipe: '', image: 'sha256:image', priority: PRIORITY.background, askedBy: '10.0.0.1', ...change,
  }
}

export function wheelOf(job: Job, change: Partial<BuiltWheel> = {}): BuiltWheel {
  return {
    sha256: 'e'.repeat(64), filename: 'cffi-1.17-1-cp313-cp313-musllinux_1_2_x86_64.whl', size: 1234, project: job.project, version: job.version,
    target: job.target, sdist: job.sdist.sha256, number: 1, metadata: 'd'.repeat(64), requiresPython: '>=3.8', publishedAt: 500, build: job.build ?? 0, ...change,
  }
}

export interface StoreBench {
  /** The test's own: its parts are those of the store that was made for it. */
  store: Store
  another: () => Promise<Store>
  /** A job that `worker` runs, its lease over at 100. */
  running: (change?: Partial<Wish>, worker?: string) => Promise<ClaimedJob>
  /** A job that w1 began at 10 and that failed at 50. */
  failed: (change?: Partial<Wish>, retryAt?: number) => Promise<ClaimedJob>
}

/** A new store for each of the tests around it. */
export function makeStoreBench(make: MakeStore): StoreBench {
  let made: Awaited<ReturnType<MakeStore>>
  beforeEach(async () => { made = await make() })
  afterEach(() => made.cleanup())
  const store: Store = {
    get pages() { return made.store.pages },
    get wheels() { return made.store.wheels },
    get metadata() { return made.store.metadata },
    get jobs() { return made.store.jobs },
    get workers() { return made.store.workers },
    get secrets() { return made.store.secrets },
    get prebuilds() { return made.store.prebuilds },
    get sessions() { return made.store.sessions },
    get downloads() { return made.store.downloads },
    get results() { return made.store.results },
    get recipes() { return made.store.recipes },
    get kept() { return made.store.kept },
    get glance() { return made.store.glance },
    get cache() { return made.store.cache },
    get mend() { return made.store.mend },
    generation: (project) => made.store.generation(project),
    close: () => made.store.close(),
  }
  return { store, another: () => made.another(), running, failed }

  async function running(change: Partial<Wish> = {}, worker = 'w1'): Promise<ClaimedJob> {
    await store.jobs.wish(wishFor(change), 1)
    const job = await store.jobs.claim(worker, BOTH, 10, 100)
    if (!job) throw new Error('nothing was claimed')
    return job
  }

  async function failed(change: Partial<Wish> = {}, retryAt?: number): Promise<ClaimedJob> {
    const job = await running(change)
    expect(await store.jobs.fail(job.build, FAILURE, { seconds: 3 }, 50, retryAt)).toBe(true)
    return job
  }
}
