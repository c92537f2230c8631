import { describe, expect, test } from 'vitest'
import { PRIORITY, type Job } from '../../../src/domain/job.ts'
import { BOTH, FAILURE, TARGET, type StoreBench, wheelOf, wishFor } from './bench.ts'

/** How jobs end, and what is remembered of it. */
export function endingsContract({ store, running, failed }: StoreBench): void {
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

    describe('a metadata job whose time has come', () => {
      async function again(): Promise<{ metadata: Job; build: Job }> {
        const metadata = await failed({ kind: 'metadata', priority: PRIORITY.waiting }, 1000)
        expect(await store.jobs.requeue(1000)).toBe(1)
        const build = await store.jobs.find(wishFor())
        return { metadata, build: build! }
      }

      test('brings its build along, in the background and as nobody\'s wish', async () => {
        const { metadata, build } = await again()
        expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'queued', priority: PRIORITY.background, remembered: true })
        const { project, version, sdist, target, recipe, image } = metadata
        expect(build).toMatchObject({ project, version, sdist, target, recipe, image, state: 'queued', priority: PRIORITY.background, askedBy: 'muslin', createdAt: 1000 })
      })

      test('leaves a build job that is there as it is', async () => {
        const build = await failed()
        await failed({ kind: 'metadata' }, 1000)
        expect(await store.jobs.requeue(1000)).toBe(1)
        expect(await store.jobs.get(build.id)).toMatchObject({ state: 'failed', failure: FAILURE })
      })

      test.each(['by itself', 'by its build'])('stays remembered where it succeeds %s; the wheel forgets it', async (how) => {
        const { metadata, build } = await again()
        if (how === 'by itself') {
          const run = await store.jobs.claim('w1', { ...BOTH, kinds: ['metadata'] }, 1001, 2000)
          expect(await store.jobs.done(run?.build ?? 0, undefined, 1010)).toBe(true)
        }
        const run = await store.jobs.claim('w1', BOTH, 1020, 2000)
        expect(run?.id).toBe(build.id)
        if (how === 'by its build') await store.jobs.metadataKnown(metadata.sdist.sha256, TARGET, 1030)
        expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'built', failure: undefined, remembered: true })
        expect(await store.jobs.remembered('cffi')).toHaveLength(1)
        await store.wheels.publish(wheelOf(run!), { id: build.id, worker: 'w1', metadataChanged: false }, {}, 1100)
        expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'built', remembered: false })
        expect(await store.jobs.remembered('cffi')).toEqual([])
      })
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

    test('a retry of a build forgets what its metadata job failed of, which it would be remembered for', async () => {
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)
      const { job: other } = await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'other' }), 1)
      const build = await failed({}, 900)
      await store.jobs.cancel(other.id, 60)
      expect((await store.jobs.remembered('cffi')).map(({ recipe }) => recipe)).toEqual(['', 'other'])
      await store.jobs.retry(build.id, 70)
      expect([await store.jobs.get(build.id), await store.jobs.get(metadata.id), await store.jobs.get(other.id)]).toMatchObject([
        { state: 'queued' }, { state: 'queued', failure: undefined, remembered: false }, { state: 'cancelled' },
      ])
      expect((await store.jobs.remembered('cffi')).map(({ recipe }) => recipe)).toEqual(['other'])
    })

    test('a retry of a build forgets a failure that its metadata job has got over', async () => {
      const metadata = await failed({ kind: 'metadata' }, 60)
      const build = await failed()
      await store.jobs.requeue(60)
      await store.jobs.metadataKnown(build.sdist.sha256, TARGET, 65)
      expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'built', remembered: true })
      await store.jobs.retry(build.id, 70)
      expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'built', remembered: false })
      expect(await store.jobs.remembered('cffi')).toEqual([])
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

    test('a file name never means two files: the first stays, and the second build of the same has done its work too', async () => {
      const job = await running()
      await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
      const other = await running({ recipe: 'newer' })
      const clash = wheelOf(other, { sha256: 'f'.repeat(64), metadata: '2'.repeat(64) })
      expect(await store.wheels.publish(clash, { id: other.id, worker: 'w1', metadataChanged: false }, { seconds: 4 }, 95)).toBe(true)
      expect(await store.wheels.wheels('cffi')).toEqual([wheelOf(job)])
      expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBe('d'.repeat(64))
      expect(await store.jobs.get(other.id)).toMatchObject({ state: 'built', failure: undefined, remembered: false, finishedAt: 95 })
      expect(await store.jobs.build(other.build)).toMatchObject({ finishedAt: 95, failure: undefined, record: { seconds: 4 } })
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
      expect(await store.jobs.history('cffi', TARGET)).toEqual([4.5, 2])
      expect(await store.jobs.history('lxml', TARGET)).toEqual([])
    })

    test('the seconds of builds for the same target count alone, where there are any', async () => {
      const other = 'cp312-musllinux_1_2_x86_64'
      for (const [target, end] of [[TARGET, 2010], [other, 9010]] as const) {
        await store.jobs.wish(wishFor({ target }), 1)
        const job = await store.jobs.claim('w1', { ...BOTH, targets: { [target]: 'sha256:image' } }, 10, 100)
        await store.wheels.publish(wheelOf(job!, { filename: `${target}.whl` }), { id: job!.id, worker: 'w1', metadataChanged: false }, {}, end)
      }
      expect(await store.jobs.history('cffi', TARGET)).toEqual([2])
      expect(await store.jobs.history('cffi', other)).toEqual([9])
      expect(await store.jobs.history('cffi', 'cp311-musllinux_1_2_x86_64')).toEqual([9, 2])
    })
  })
}
