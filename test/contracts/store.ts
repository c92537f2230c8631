import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PRIORITY, type ClaimedJob, type Job, type Wish } from '../../src/domain/job.ts'
import type { BuiltWheel, Store } from '../../src/services/ports.ts'

/** What a test of a store starts from: an empty one, and how to open the same one as another process would. */
export type MakeStore = () => Promise<{ store: Store; another: () => Promise<Store>; cleanup: () => Promise<void> }>

const BOTH = { kinds: ['metadata', 'build'] as Wish['kind'][], targets: { 'cp313-musllinux_1_2_x86_64': 'sha256:image' } as Record<string, string> }
const TARGET = 'cp313-musllinux_1_2_x86_64'
const FAILURE = { class: 'missing-header', key: 'ffi.h' } as const

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

/** What every database does. */
export function storeContract(name: string, make: MakeStore): void {
  describe(`${name} as a store`, () => {
    let store: Store
    let another: () => Promise<Store>
    let cleanup: () => Promise<void>
    beforeEach(async () => { ({ store, another, cleanup } = await make()) })
    afterEach(() => cleanup())

    /** A job that `worker` runs, its lease over at 100. */
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

    describe('pages', () => {
      const page = { project: 'cffi', json: Buffer.from('{"é":1}'), url: 'https://upstream.example/simple/cffi/', etag: '"1"', fetchedAt: 5 }
      const file = { sha256: 'a'.repeat(64), filename: 'cffi-1.17.tar.gz', project: 'cffi', url: 'https://upstream.example/f', metadata: undefined }

      test('a page comes back as it was put, bytes and all, and the newest counts', async () => {
        expect(await store.pages.get('cffi')).toBeUndefined()
        await store.pages.put(page, [])
        expect(await store.pages.get('cffi')).toEqual(page)
        const absent = { ...page, json: undefined, etag: undefined, fetchedAt: 6 }
        await store.pages.put(absent, [])
        expect(await store.pages.get('cffi')).toEqual(absent)
      })

      test('an empty page is not an absent one', async () => {
        await store.pages.put({ ...page, json: Buffer.alloc(0) }, [])
        expect((await store.pages.get('cffi'))?.json).toEqual(Buffer.alloc(0))
      })

      test('touching says that nothing changed', async () => {
        await store.pages.put(page, [])
        const before = await store.generation('cffi')
        await store.pages.touch('cffi', 99)
        expect(await store.pages.get('cffi')).toEqual({ ...page, fetchedAt: 99 })
        expect(await store.generation('cffi')).toBe(before)
      })

      test('files of older pages stay recorded; newer pages correct the URL', async () => {
        const gone = { ...file, sha256: 'b'.repeat(64), filename: 'cffi-1.16.tar.gz', metadata: 'c'.repeat(64) }
        await store.pages.put(page, [file, gone])
        await store.pages.put(page, [{ ...file, url: 'https://upstream.example/moved' }])
        expect(await store.pages.file(gone.sha256, gone.filename)).toEqual(gone)
        expect(await store.pages.file(file.sha256, file.filename)).toEqual({ ...file, url: 'https://upstream.example/moved' })
        expect(await store.pages.file(file.sha256, 'other.tar.gz')).toBeUndefined()
        expect(await store.pages.files('cffi')).toHaveLength(2)
        expect(await store.pages.files('other')).toEqual([])
      })

      test('a metadata digest once learnt is not forgotten by a page that names none', async () => {
        await store.pages.put(page, [{ ...file, metadata: '' }])
        expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('')
        await store.pages.setMetadata(file.sha256, file.filename, 'c'.repeat(64))
        await store.pages.put(page, [{ ...file, metadata: '' }])
        expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('c'.repeat(64))
        await store.pages.put(page, [{ ...file, metadata: 'd'.repeat(64) }])
        expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('d'.repeat(64))
      })

      test('a page of which a file cannot be stored is not stored either', async () => {
        await store.pages.put(page, [])
        const broken = { ...file, url: null as unknown as string }
        await expect(store.pages.put({ ...page, etag: '"2"' }, [file, broken])).rejects.toMatchObject({ code: 'internal' })
        expect((await store.pages.get('cffi'))?.etag).toBe('"1"')
        expect(await store.pages.files('cffi')).toEqual([])
      })

      test('the project list is one row', async () => {
        expect(await store.pages.list()).toBeUndefined()
        await store.pages.putList({ sha256: 'a'.repeat(64), etag: undefined, fetchedAt: 1 })
        await store.pages.putList({ sha256: 'b'.repeat(64), etag: '"2"', fetchedAt: 2 })
        expect(await store.pages.list()).toEqual({ sha256: 'b'.repeat(64), etag: '"2"', fetchedAt: 2 })
      })
    })

    describe('wishes', () => {
      test('the same wish twice is one job; its first asker and its making are remembered', async () => {
        const first = await store.jobs.wish(wishFor(), 7)
        expect(first).toMatchObject({ created: true, job: { state: 'queued', attempts: 0, askedBy: '10.0.0.1', createdAt: 7, remembered: false } })
        const second = await store.jobs.wish(wishFor({ askedBy: '10.0.0.2' }), 8)
        expect(second).toEqual({ created: false, job: first.job })
        expect(await store.jobs.find(wishFor())).toEqual(first.job)
        expect(await store.jobs.get(first.job.id)).toEqual(first.job)
        expect(await store.jobs.get(first.job.id + 1)).toBeUndefined()
      })

      test.each([
        { kind: 'metadata' }, { sdist: { sha256: 'b'.repeat(64), filename: 'cffi-1.17.tar.gz' } }, { target: 'cp312-musllinux_1_2_x86_64' },
        { recipe: 'r' }, { image: 'sha256:newer' },
      ] as Partial<Wish>[])('a wish with another %o is another job', async (change) => {
        const { job } = await store.jobs.wish(wishFor(), 1)
        expect(await store.jobs.find(wishFor(change))).toBeUndefined()
        const other = await store.jobs.wish(wishFor(change), 1)
        expect(other.created).toBe(true)
        expect(other.job.id).not.toBe(job.id)
      })

      test('a wish raises its job and never lowers it', async () => {
        await store.jobs.wish(wishFor({ priority: PRIORITY.asked }), 1)
        expect((await store.jobs.wish(wishFor({ priority: PRIORITY.rebuild }), 1)).job.priority).toBe(PRIORITY.asked)
        expect((await store.jobs.wish(wishFor({ priority: PRIORITY.waiting }), 1)).job.priority).toBe(PRIORITY.waiting)
      })

      test('a job that failed or was cancelled is returned as it is', async () => {
        const job = await failed()
        expect(await store.jobs.wish(wishFor({ priority: PRIORITY.waiting }), 60)).toMatchObject({ created: false, job: { id: job.id, state: 'failed', priority: PRIORITY.background, failure: FAILURE } })
        const { job: other } = await store.jobs.wish(wishFor({ recipe: 'r' }), 1)
        await store.jobs.cancel(other.id, 2)
        expect(await store.jobs.wish(wishFor({ recipe: 'r' }), 60)).toMatchObject({ created: false, job: { state: 'cancelled' } })
      })

      test('wishes of two processes at once make one job', async () => {
        const other = await another()
        const wishes = Array.from({ length: 40 }, (_, i) => (i % 2 ? store : other).jobs.wish(wishFor({ priority: i % 3 ? PRIORITY.asked : PRIORITY.waiting }), i))
        const answers = await Promise.all(wishes)
        expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1)
        expect(answers.filter(({ created }) => created)).toHaveLength(1)
        expect((await other.jobs.find(wishFor()))?.priority).toBe(PRIORITY.waiting)
      })

      test('jobs are listed newest first and counted by state and kind', async () => {
        const first = await failed()
        const { job: second } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 20)
        const { job: third } = await store.jobs.wish(wishFor({ project: 'lxml', recipe: 'r' }), 30)
        expect((await store.jobs.list()).map(({ id }) => id)).toEqual([third.id, second.id, first.id])
        expect((await store.jobs.list({ state: 'queued', limit: 1 })).map(({ id }) => id)).toEqual([third.id])
        expect((await store.jobs.list({ project: 'cffi', state: 'queued' })).map(({ id }) => id)).toEqual([second.id])
        expect(await store.jobs.count('queued')).toBe(2)
        expect(await store.jobs.count('queued', 'build')).toBe(1)
        expect(await store.jobs.count('running')).toBe(0)
      })

      const refusal = (): Error => new Error('no more')

      test('a bound on the queue counts what is queued of the wish\'s kind, and refuses new jobs alone', async () => {
        const bounds = [{ counted: 'queued' as const, most: 2, refusal }]
        await store.jobs.wish(wishFor({ kind: 'metadata' }), 1, bounds)
        await store.jobs.wish(wishFor(), 1, bounds)
        await store.jobs.wish(wishFor({ recipe: 'r' }), 1, bounds)
        await expect(store.jobs.wish(wishFor({ recipe: 's', askedBy: 'other' }), 1, bounds)).rejects.toThrow('no more')
        expect(await store.jobs.find(wishFor({ recipe: 's' }))).toBeUndefined()
        expect(await store.jobs.wish(wishFor({ priority: PRIORITY.waiting }), 1, bounds)).toMatchObject({ created: false, job: { priority: PRIORITY.waiting } })
        expect((await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 's' }), 1, bounds)).created).toBe(true)
        await store.jobs.claim('w1', { ...BOTH, kinds: ['build'] }, 10, 100)
        expect((await store.jobs.wish(wishFor({ recipe: 's' }), 1, bounds)).created).toBe(true)
      })

      test('a bound on what was asked for counts one asker\'s jobs of the wish\'s kind, whatever became of them', async () => {
        const since = (time: number) => [{ counted: { since: time }, most: 1, refusal }]
        await failed()
        await expect(store.jobs.wish(wishFor({ recipe: 'r' }), 2, since(1))).rejects.toThrow('no more')
        expect((await store.jobs.wish(wishFor({ recipe: 'r' }), 3, since(2))).created).toBe(true)
        expect((await store.jobs.wish(wishFor({ recipe: 's', askedBy: 'other' }), 3, since(1))).created).toBe(true)
        expect((await store.jobs.wish(wishFor({ kind: 'metadata' }), 3, since(1))).created).toBe(true)
        await expect(store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'r' }), 3, since(1))).rejects.toThrow('no more')
        expect((await store.jobs.wish(wishFor(), 3, since(1))).created).toBe(false)
      })

      test('bounds hold for wishes of two processes at once', async () => {
        const other = await another()
        const bounds = [{ counted: { since: 0 }, most: 5, refusal }]
        const wishes = Array.from({ length: 40 }, (_, i) => (i % 2 ? store : other).jobs.wish(wishFor({ recipe: String(i) }), i, bounds))
        const made = (await Promise.allSettled(wishes)).filter(({ status }) => status === 'fulfilled')
        expect(made).toHaveLength(5)
        expect(await store.jobs.count('queued')).toBe(5)
      })
    })

    describe('runs', () => {
      test('a claim marks the job, counts the attempt and begins a build', async () => {
        const job = await running()
        expect(job).toMatchObject({ state: 'running', worker: 'w1', attempts: 1, startedAt: 10, step: undefined })
        expect(await store.jobs.build(job.build ?? 0)).toEqual({ id: job.build, job: job.id, worker: 'w1', startedAt: 10, finishedAt: undefined, failure: undefined, record: undefined })
        expect(await store.jobs.claim('w2', BOTH, 11, 100)).toBeUndefined()
      })

      test('metadata goes first, then the higher priority, then the older', async () => {
        const order: [Partial<Wish>, number][] = [
          [{ recipe: 'young', priority: PRIORITY.asked }, 9], [{ recipe: 'old', priority: PRIORITY.asked }, 2],
          [{ recipe: 'waiting', priority: PRIORITY.waiting }, 9], [{ recipe: 'low', priority: PRIORITY.rebuild }, 1],
          [{ recipe: 'metadata', kind: 'metadata', priority: PRIORITY.rebuild }, 9],
        ]
        for (const [change, now] of order) await store.jobs.wish(wishFor(change), now)
        const claimed: string[] = []
        for (let job = await store.jobs.claim('w1', BOTH, 10, 100); job; job = await store.jobs.claim('w1', BOTH, 10, 100)) claimed.push(job.recipe)
        expect(claimed).toEqual(['metadata', 'waiting', 'old', 'young', 'low'])
      })

      describe('a metadata job and the build job of the same sdist', () => {
        const METADATA_ONLY = { ...BOTH, kinds: ['metadata'] as Wish['kind'][] }
        async function twins(): Promise<{ metadata: Job; build: Job }> {
          return { metadata: (await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)).job, build: (await store.jobs.wish(wishFor(), 2)).job }
        }

        test('a worker that wants both takes the build, which learns the metadata on its way', async () => {
          const { metadata, build } = await twins()
          expect(await store.jobs.claim('w1', BOTH, 10, 100)).toMatchObject({ id: build.id })
          expect(await store.jobs.claim('w2', METADATA_ONLY, 11, 100), 'not while the build runs').toBeUndefined()
          await store.jobs.metadataKnown(metadata.sdist.sha256, TARGET, 20)
          expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'built', finishedAt: 20 })
          expect(await store.jobs.get(build.id)).toMatchObject({ state: 'running' })
        })

        test('the build does not go before one that is wanted more: the metadata is made alone then', async () => {
          const { metadata, build } = await twins()
          const { job: waiting } = await store.jobs.wish(wishFor({ recipe: 'r', priority: PRIORITY.waiting }), 3)
          await store.jobs.wish(wishFor({ target: 'cp312-musllinux_1_2_x86_64', priority: PRIORITY.waiting }), 3)
          expect(await store.jobs.claim('w1', BOTH, 10, 100)).toMatchObject({ id: metadata.id })
          expect(await store.jobs.claim('w1', BOTH, 10, 100)).toMatchObject({ id: waiting.id })
          await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'later' }), 4)
          await store.jobs.wish(wishFor({ recipe: 'later', priority: PRIORITY.asked }), 4)
          expect(await store.jobs.claim('w1', BOTH, 10, 100), 'as wanted as any').toMatchObject({ kind: 'build', recipe: 'later' })
          expect(await store.jobs.claim('w1', BOTH, 10, 100)).toMatchObject({ id: build.id })
        })

        test('a worker that wants metadata alone takes it while the build is queued', async () => {
          const { metadata } = await twins()
          expect(await store.jobs.claim('w1', METADATA_ONLY, 10, 100)).toMatchObject({ id: metadata.id })
        })

        test('the metadata job can be claimed again once the build is given back or its lease is over', async () => {
          const { metadata } = await twins()
          const build = await store.jobs.claim('w1', BOTH, 10, 100)
          const step = await store.jobs.claim('w2', METADATA_ONLY, 100, 200)
          expect(step).toMatchObject({ id: metadata.id })
          for (const run of [step, build]) await store.jobs.giveBack(run?.build ?? 0, 110)
          expect(await store.jobs.claim('w2', METADATA_ONLY, 120, 200)).toMatchObject({ id: metadata.id })
        })

        test('a build that fails before the metadata is known fails both, with one log to read', async () => {
          const { metadata } = await twins()
          const run = await store.jobs.claim('w1', BOTH, 10, 100)
          await store.jobs.fail(run?.build ?? 0, FAILURE, undefined, 50)
          expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'failed', failure: FAILURE, build: run?.build, finishedAt: 50 })
        })
      })

      test('a worker gets only the kinds, targets and images it wants', async () => {
        await store.jobs.wish(wishFor(), 1)
        expect(await store.jobs.claim('w1', { kinds: ['metadata'], targets: BOTH.targets }, 10, 100)).toBeUndefined()
        expect(await store.jobs.claim('w1', { kinds: ['build'], targets: { 'cp312-musllinux_1_2_x86_64': 'sha256:image' } }, 10, 100)).toBeUndefined()
        expect(await store.jobs.claim('w1', { kinds: ['build'], targets: { [TARGET]: 'sha256:newer' } }, 10, 100)).toBeUndefined()
        expect(await store.jobs.claim('w1', { kinds: ['build'], targets: {} }, 10, 100)).toBeUndefined()
        expect(await store.jobs.claim('w1', { kinds: ['build'], targets: BOTH.targets }, 10, 100)).toBeDefined()
      })

      test('claims of two processes at once give each job to one of them', async () => {
        const other = await another()
        for (let i = 0; i < 20; i += 1) await store.jobs.wish(wishFor({ recipe: String(i) }), i)
        const claims = Array.from({ length: 40 }, (_, i) => (i % 2 ? store : other).jobs.claim(`w${i % 2}`, BOTH, 50, 100))
        const claimed = (await Promise.all(claims)).flatMap((job) => (job ? [job.id] : []))
        expect(claimed).toHaveLength(20)
        expect(new Set(claimed).size).toBe(20)
      })

      test('heartbeats keep the lease; when it is over another worker gets the job, and the build that died says so', async () => {
        const job = await running()
        expect(await store.jobs.heartbeat(job.build, 200)).toBe(true)
        expect(await store.jobs.claim('w2', BOTH, 199, 400)).toBeUndefined()
        const again = await store.jobs.claim('w2', BOTH, 200, 400)
        expect(again).toMatchObject({ id: job.id, worker: 'w2', attempts: 2, startedAt: 200 })
        expect(again?.build).not.toBe(job.build)
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 200, failure: { class: 'infrastructure', key: 'the worker died' } })
      })

      test.each([
        ['to another worker', 'w2'], ['and claimed the job anew itself, as after a pause', 'w1'],
      ])('who lost the lease %s writes nothing any more', async (_how, next) => {
        const job = await running()
        const again = await store.jobs.claim(next, BOTH, 100, 400)
        await store.jobs.step(job.build, 'build')
        await store.jobs.giveBack(job.build, 101)
        expect(await store.jobs.heartbeat(job.build, 900)).toBe(false)
        expect(await store.jobs.fail(job.build, FAILURE, undefined, 101)).toBe(false)
        expect(await store.jobs.done(job.build, undefined, 101)).toBe(false)
        expect(await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 101)).toBe(false)
        expect(await store.jobs.get(job.id)).toEqual(again)
        expect(await store.wheels.wheels('cffi')).toEqual([])
        expect((await store.jobs.build(again?.build ?? 0))?.finishedAt).toBeUndefined()
      })

      test('steps are shown', async () => {
        const job = await running()
        await store.jobs.step(job.build, 'repair')
        expect((await store.jobs.get(job.id))?.step).toBe('repair')
      })

      test('a job given back is queued again with its attempt counted, its build without a failure', async () => {
        const job = await running()
        await store.jobs.step(job.build, 'build')
        await store.jobs.giveBack(job.build, 60)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', attempts: 1, step: undefined, failure: undefined, remembered: false })
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 60, failure: undefined })
        expect(await store.jobs.claim('w2', BOTH, 61, 100)).toMatchObject({ id: job.id, attempts: 2 })
      })
    })

    describe('jobs of an image that is gone', () => {
      const NEW = { [TARGET]: 'sha256:newer' }
      const NEWER = { ...BOTH, targets: NEW }
      const newer = (change: Partial<Wish> = {}): Wish => wishFor({ image: 'sha256:newer', ...change })

      test('get the new one as if they were new, and whoever waits for them goes on waiting', async () => {
        const job = await failed({}, 60)
        await store.jobs.requeue(60)
        const changed = vi.fn()
        const stop = store.jobs.watch(changed)
        expect(await store.jobs.adopt(NEW, 50, 100)).toBe(1)
        expect(changed).toHaveBeenCalledTimes(1)
        expect(await store.jobs.adopt(NEW, 50, 100)).toBe(0)
        expect(changed).toHaveBeenCalledTimes(1)
        stop()
        expect(await store.jobs.find(newer())).toMatchObject({ id: job.id, state: 'queued', attempts: 0, failure: undefined, remembered: false })
        expect(await store.jobs.find(wishFor())).toBeUndefined()
        expect(await store.jobs.claim('w1', BOTH, 110, 200)).toBeUndefined()
        expect(await store.jobs.claim('w1', NEWER, 110, 200)).toMatchObject({ id: job.id })
      })

      test('are left alone while a worker has it, or where they run or are over', async () => {
        const over = await failed({ recipe: 'over' })
        const live = await running({ recipe: 'running' })
        const { job } = await store.jobs.wish(wishFor(), 1)
        await store.workers.beat('old', BOTH.targets, 50)
        expect(await store.jobs.adopt(NEW, 50, 60)).toBe(0)
        expect(await store.jobs.adopt({}, 51, 60)).toBe(0)
        expect(await store.jobs.adopt(NEW, 51, 60)).toBe(1)
        expect((await store.jobs.get(job.id))?.image).toBe('sha256:newer')
        for (const { id } of [over, live]) expect((await store.jobs.get(id))?.image).toBe('sha256:image')
      })

      test('a run whose lease is over is taken too, and its build says that the worker died', async () => {
        const job = await running()
        expect(await store.jobs.adopt(NEW, 50, 99)).toBe(0)
        await store.jobs.adopt(NEW, 50, 100)
        expect(await store.jobs.build(job.build)).toMatchObject({ finishedAt: 100, failure: { class: 'infrastructure' } })
        expect(await store.jobs.heartbeat(job.build, 900)).toBe(false)
        expect(await store.jobs.claim('w2', NEWER, 101, 200)).toMatchObject({ id: job.id, attempts: 1 })
      })

      test.each(['failed', 'built'] as const)('where the new one is wished for already they wait for that, and end as it does: %s', async (state) => {
        const { job } = await store.jobs.wish(wishFor({ priority: PRIORITY.waiting }), 1)
        const { job: heir } = await store.jobs.wish(newer(), 2)
        await store.jobs.adopt(NEW, 50, 60)
        expect(await store.jobs.get(heir.id)).toMatchObject({ priority: PRIORITY.waiting })
        const run = await store.jobs.claim('w1', NEWER, 60, 100)
        expect(run?.id).toBe(heir.id)
        expect(await store.jobs.adopt(NEW, 50, 70)).toBe(0)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued' })
        if (state === 'failed') await store.jobs.fail(run?.build ?? 0, FAILURE, undefined, 80)
        else await store.jobs.done(run?.build ?? 0, undefined, 80)
        expect(await store.jobs.adopt(NEW, 50, 90)).toBe(1)
        expect(await store.jobs.get(job.id)).toMatchObject({ state, build: run?.build, finishedAt: 90, failure: state === 'failed' ? FAILURE : undefined, image: 'sha256:image' })
      })

      test('metadata waits for a build that still runs with the old one', async () => {
        await running()
        const { job } = await store.jobs.wish(newer({ kind: 'metadata' }), 20)
        expect(await store.jobs.claim('w2', NEWER, 30, 100)).toBeUndefined()
        expect(await store.jobs.claim('w2', NEWER, 100, 200)).toMatchObject({ id: job.id })
      })
    })

    describe('failures', () => {
      test('a failure ends job and build, and is remembered', async () => {
        const job = await failed()
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'failed', failure: FAILURE, remembered: true, finishedAt: 50 })
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 50, failure: FAILURE, record: { seconds: 3 } })
        expect(await store.jobs.remembered('cffi')).toEqual([{ sdist: job.sdist, target: TARGET, recipe: '', image: 'sha256:image' }])
        expect(await store.jobs.remembered('lxml')).toEqual([])
      })

      test('a failure of both kinds is one remembered release', async () => {
        await failed()
        await failed({ kind: 'metadata' })
        expect(await store.jobs.remembered('cffi')).toHaveLength(1)
      })

      test('its time queues a failed job again, in the background and still remembered; success forgets it', async () => {
        const job = await failed({ priority: PRIORITY.waiting }, 1000)
        await failed({ recipe: 'never' })
        expect(await store.jobs.requeue(999)).toBe(0)
        expect(await store.jobs.requeue(1000)).toBe(1)
        expect(await store.jobs.requeue(1000)).toBe(0)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', priority: PRIORITY.background, attempts: 0, remembered: true })
        const again = await store.jobs.claim('w1', BOTH, 1001, 2000)
        expect(again).toMatchObject({ id: job.id, remembered: true })
        expect(await store.wheels.publish(wheelOf(again ?? job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 1100)).toBe(true)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'built', remembered: false, failure: undefined })
        expect((await store.jobs.remembered('cffi')).map(({ recipe }) => recipe)).toEqual(['never'])
      })

      test('a person\'s retry queues it again, forgets the failure and stops the clock', async () => {
        const job = await failed({}, 1000)
        const before = await store.generation('cffi')
        expect(await store.jobs.retry(job.id, 70)).toMatchObject({ id: job.id, state: 'queued', attempts: 0, remembered: false, failure: undefined })
        expect(await store.jobs.remembered('cffi')).toEqual([])
        expect(await store.generation('cffi')).toBeGreaterThan(before)
        expect(await store.jobs.requeue(5000)).toBe(0)
        expect(await store.jobs.retry(job.id + 1, 70)).toBeUndefined()
      })

      test('a retry leaves alone what runs', async () => {
        const job = await running()
        expect(await store.jobs.retry(job.id, 70)).toEqual(job)
      })

      test('a cancelled job ends its build, is not promised, and its worker learns it', async () => {
        const job = await running()
        expect(await store.jobs.cancel(job.id, 55)).toMatchObject({ state: 'cancelled', failure: { class: 'cancelled' }, remembered: true })
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 55, failure: { class: 'cancelled' } })
        expect(await store.jobs.heartbeat(job.build, 300)).toBe(false)
        expect(await store.jobs.claim('w1', BOTH, 500, 600)).toBeUndefined()
        expect(await store.jobs.retry(job.id, 60)).toMatchObject({ state: 'queued', failure: undefined, remembered: false })
        expect(await store.jobs.cancel(job.id + 1, 55)).toBeUndefined()
      })

      test('what is over cannot be cancelled', async () => {
        const job = await failed()
        expect(await store.jobs.cancel(job.id, 90)).toMatchObject({ state: 'failed', failure: FAILURE })
      })
    })

    describe('success', () => {
      test('publishing makes wheel, job, build and metadata one', async () => {
        const { job: sibling } = await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'later' }), 1)
        await store.jobs.cancel(sibling.id, 2)
        const job = await running()
        const { job: waiting } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 20)
        await store.metadata.set(job.sdist.sha256, TARGET, '1'.repeat(64))
        const wheel = wheelOf(job)
        expect(await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: true }, { seconds: 9 }, 90)).toBe(true)
        expect(await store.wheels.wheels('cffi')).toEqual([wheel])
        expect(await store.wheels.wheel(wheel.sha256, wheel.filename)).toEqual(wheel)
        expect(await store.wheels.wheel(wheel.sha256, 'other.whl')).toBeUndefined()
        expect(await store.wheels.built(wheel.sdist, TARGET, 1)).toEqual(wheel)
        expect(await store.wheels.built(wheel.sdist, TARGET, 2)).toBeUndefined()
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'built', metadataChanged: true, finishedAt: 90, step: undefined })
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 90, failure: undefined, record: { seconds: 9 } })
        expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBe(wheel.metadata)
        expect(await store.jobs.get(waiting.id)).toMatchObject({ state: 'built', finishedAt: 90 })
        expect(await store.jobs.get(sibling.id)).toMatchObject({ state: 'cancelled' })
        expect(await store.jobs.heartbeat(job.build, 300)).toBe(false)
      })

      test('a wheel without a Requires-Python has none', async () => {
        const job = await running()
        const wheel = wheelOf(job, { requiresPython: undefined })
        await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
        expect(await store.wheels.wheels('cffi')).toEqual([wheel])
      })

      test('a file name never means two files: the second is refused and nothing of it is stored', async () => {
        const job = await running()
        await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
        const other = await running({ recipe: 'newer' })
        const clash = wheelOf(other, { sha256: 'f'.repeat(64), metadata: '2'.repeat(64) })
        await expect(store.wheels.publish(clash, { id: other.id, worker: 'w1', metadataChanged: false }, {}, 95)).rejects.toMatchObject({ code: 'internal' })
        expect(await store.jobs.get(other.id)).toEqual(other)
        expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBe('d'.repeat(64))
        expect(await store.wheels.publish({ ...clash, number: 2, filename: 'cffi-1.17-2-x.whl' }, { id: other.id, worker: 'w1', metadataChanged: false }, {}, 95)).toBe(true)
        expect(await store.wheels.wheels('cffi')).toHaveLength(2)
      })

      test('a metadata job is done without a wheel', async () => {
        const job = await running({ kind: 'metadata' })
        expect(await store.jobs.done(job.build, { seconds: 1 }, 30)).toBe(true)
        expect(await store.jobs.get(job.id)).toMatchObject({ state: 'built', finishedAt: 30, failure: undefined })
        expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 30, record: { seconds: 1 } })
      })

      test('metadata is by sdist and target, and the wheel\'s stays once there is one', async () => {
        const job = await running()
        expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBeUndefined()
        await store.metadata.set(job.sdist.sha256, TARGET, '1'.repeat(64))
        await store.metadata.set(job.sdist.sha256, TARGET, '2'.repeat(64))
        expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBe('2'.repeat(64))
        expect(await store.metadata.get(job.sdist.sha256, 'cp312-musllinux_1_2_x86_64')).toBeUndefined()
        await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
        await store.metadata.set(job.sdist.sha256, TARGET, '3'.repeat(64))
        expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBe('d'.repeat(64))
      })

      test('the seconds of earlier builds come newest first, failed ones left out', async () => {
        await failed()
        for (const [recipe, end] of [['1', 2010], ['2', 4510]] as const) {
          const job = await running({ recipe })
          const wheel = wheelOf(job, { number: Number(recipe), filename: `${recipe}.whl` })
          await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, end)
        }
        expect(await store.jobs.history('cffi')).toEqual([4.5, 2])
        expect(await store.jobs.history('lxml')).toEqual([])
      })
    })

    describe('generations', () => {
      test('what may change a page raises its generation, in every process, and no other project\'s', async () => {
        const other = await another()
        const page = { project: 'cffi', json: undefined, url: 'u', etag: undefined, fetchedAt: 1 }
        const seen = [await store.generation('cffi')]
        const next = async (): Promise<void> => {
          const now = await other.generation('cffi')
          expect(now).toBeGreaterThan(seen.at(-1) ?? 0)
          expect(await store.generation('cffi')).toBe(now)
          seen.push(now)
        }
        await store.pages.put(page, [])
        await next()
        const job = await failed()
        await next()
        await store.jobs.retry(job.id, 60)
        await next()
        const again = await store.jobs.claim('w1', BOTH, 61, 100)
        await store.wheels.publish(wheelOf(again ?? job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
        await next()
        const metadata = await running({ kind: 'metadata' })
        await store.jobs.done(metadata.build, undefined, 95)
        await next()
        const { job: doomed } = await store.jobs.wish(wishFor({ recipe: 'r' }), 96)
        await store.jobs.cancel(doomed.id, 97)
        await next()
        expect(await store.generation('lxml')).toBe(0)
      })
    })

    describe('watching', () => {
      test('own changes call back at once; what changes nothing does not', async () => {
        const changed = vi.fn()
        const stop = store.jobs.watch(changed)
        await store.jobs.claim('w1', BOTH, 1, 2)
        await store.jobs.requeue(1)
        expect(changed).not.toHaveBeenCalled()
        const calls: number[] = []
        const note = (): void => { calls.push(changed.mock.calls.length) }
        const { job } = await store.jobs.wish(wishFor(), 1)
        note()
        const first = await store.jobs.claim('w1', BOTH, 2, 3)
        note()
        await store.jobs.step(first?.build ?? 0, 'build')
        note()
        await store.metadata.set(job.sdist.sha256, TARGET, '1'.repeat(64))
        note()
        await store.jobs.fail(first?.build ?? 0, FAILURE, undefined, 5, 6)
        note()
        await store.jobs.requeue(6)
        note()
        const again = await store.jobs.claim('w1', BOTH, 7, 8)
        note()
        await store.wheels.publish(wheelOf(again ?? job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 9)
        note()
        expect(calls).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
        stop()
        await store.jobs.wish(wishFor({ recipe: 'r' }), 1)
        expect(changed).toHaveBeenCalledTimes(8)
      })

      test('another process\'s change calls back soon, and each watcher may stop alone', async () => {
        const other = await another()
        const stopped = vi.fn()
        const stop = store.jobs.watch(stopped)
        let stopToo = (): void => {}
        const called = new Promise<void>((resolve) => { stopToo = store.jobs.watch(resolve) })
        stop()
        await other.jobs.wish(wishFor(), 1)
        await called
        stopToo()
        expect(stopped).not.toHaveBeenCalled()
        expect(await store.jobs.find(wishFor())).toBeDefined()
      })
    })

    describe('workers', () => {
      test('targets are the union of the workers heard of; the newest image counts', async () => {
        await store.workers.beat('w1', { a: 'old', b: '1' }, 10)
        await store.workers.beat('w2', { a: 'new' }, 20)
        expect(await store.workers.targets(10)).toEqual(new Map([['a', 'new'], ['b', '1']]))
        expect(await store.workers.targets(11)).toEqual(new Map([['a', 'new']]))
        await store.workers.beat('w1', { c: '3' }, 30)
        expect(await store.workers.targets(11)).toEqual(new Map([['a', 'new'], ['c', '3']]))
        await store.workers.leave('w2')
        expect(await store.workers.targets(0)).toEqual(new Map([['c', '3']]))
      })
    })

    describe('secrets', () => {
      test('a secret is made once and is the same in every process', async () => {
        const other = await another()
        const made = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).secrets.secret('key', () => `made ${i}`)))
        expect(new Set(made).size).toBe(1)
        expect(await store.secrets.secret('other', () => 'x')).toBe('x')
        const never = vi.fn(() => 'again')
        expect(await other.secrets.secret('key', never)).toBe(made[0])
        expect(never).not.toHaveBeenCalled()
      })
    })

    test('all of it is there for the next process', async () => {
      const job = await running()
      await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
      store.close()
      const next = await another()
      expect(await next.wheels.wheels('cffi')).toHaveLength(1)
      expect((await next.jobs.get(job.id))?.state).toBe('built')
    })
  })
}
