import { describe, expect, test } from 'vitest'
import { PRIORITY, type Job, type Wish } from '../../../src/domain/job.ts'
import { BOTH, FAILURE, TARGET, type StoreBench, wheelOf, wishFor } from './bench.ts'

/** Claims and leases. */
export function runsContract({ store, another, running }: StoreBench): void {
  describe('runs', () => {
    test('a claim marks the job, counts the attempt and begins a build', async () => {
      const job = await running()
      expect(job).toMatchObject({ state: 'running', worker: 'w1', attempts: 1, startedAt: 10, step: undefined })
      expect(await store.jobs.build(job.build ?? 0)).toEqual({ id: job.build, job: job.id, worker: 'w1', startedAt: 10, finishedAt: undefined, failure: undefined, record: undefined, steps: [] })
      expect(await store.jobs.claim('w2', BOTH, 11, 100)).toBeUndefined()
    })

    test('the runs of a job are told, newest first', async () => {
      const first = await running()
      await store.jobs.giveBack(first.build, 'death', 20)
      const second = await store.jobs.claim('w2', BOTH, 30, 100)
      await running({ recipe: 'another' })
      expect((await store.jobs.builds(first.id, 10)).map(({ id, worker }) => ({ id, worker }))).toEqual([{ id: second?.build, worker: 'w2' }, { id: first.build, worker: 'w1' }])
      expect(await store.jobs.builds(first.id, 1)).toHaveLength(1)
      expect(await store.jobs.builds(99, 10)).toEqual([])
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
        for (const run of [step, build]) await store.jobs.giveBack(run?.build ?? 0, 'death', 110)
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
      await store.jobs.step(job.build, 'build', 55)
      await store.jobs.giveBack(job.build, 'death', 101)
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
      await store.jobs.step(job.build, 'repair', 20)
      expect((await store.jobs.get(job.id))?.step).toBe('repair')
    })

    test('a job given back by a worker that stops in order does not count the attempt', async () => {
      const job = await running()
      await store.jobs.giveBack(job.build, 'stop', 60)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', attempts: 0 })
    })

    test('a job of a dead worker is queued again with its attempt counted, its build without a failure', async () => {
      const job = await running()
      await store.jobs.step(job.build, 'build', 55)
      await store.jobs.giveBack(job.build, 'death', 60)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', attempts: 1, step: undefined, failure: undefined, remembered: false })
      expect(await store.jobs.build(job.build ?? 0)).toMatchObject({ finishedAt: 60, failure: undefined })
      expect(await store.jobs.claim('w2', BOTH, 61, 100)).toMatchObject({ id: job.id, attempts: 2 })
    })
  })
}
