import { describe, expect, test } from 'vitest'
import { PRIORITY } from '../../../src/domain/job.ts'
import { ALL, FAILURE, TARGET, type StoreBench, wheelOf, wishFor } from './bench.ts'

/** Trials are claimed like builds, and change nothing that others are told. */
export function trialsContract({ store }: StoreBench): void {
  describe('trials', () => {
    const trial = wishFor({ kind: 'trial' })
    async function run(now = 10) {
      await store.jobs.wish(trial, 1)
      const job = await store.jobs.claim('w1', { ...ALL, kinds: ['trial'] }, now, 100)
      if (!job) throw new Error('nothing was claimed')
      return job
    }

    test('stand beside the build of the same sdist, and go by priority among the builds', async () => {
      const { job: build } = await store.jobs.wish(wishFor({ priority: PRIORITY.prebuild }), 1)
      const { job: low } = await store.jobs.wish(trial, 1)
      const { job: high } = await store.jobs.wish(wishFor({ kind: 'trial', recipe: 'r', priority: PRIORITY.asked }), 2)
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'other' }), 3)
      const claimed: number[] = []
      for (let job = await store.jobs.claim('w1', ALL, 10, 100); job; job = await store.jobs.claim('w1', ALL, 10, 100)) claimed.push(job.id)
      expect(claimed).toEqual([metadata.id, high.id, build.id, low.id])
    })

    test('end as built, without a wheel, metadata or seconds to reckon with', async () => {
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)
      const job = await run()
      expect(await store.jobs.claim('w2', { ...ALL, kinds: ['metadata'] }, 11, 100), 'it answers no metadata job').toMatchObject({ id: metadata.id })
      expect(await store.jobs.done(job.build, { seconds: 2 }, 2010)).toBe(true)
      expect(await store.jobs.get(job.id)).toMatchObject({ kind: 'trial', state: 'built', remembered: false, finishedAt: 2010 })
      expect(await store.jobs.build(job.build)).toMatchObject({ finishedAt: 2010, failure: undefined, record: { seconds: 2 } })
      expect(await store.wheels.wheels('cffi')).toEqual([])
      expect(await store.metadata.get(job.sdist.sha256, TARGET)).toBeUndefined()
      expect(await store.jobs.history('cffi', TARGET)).toEqual([])
      expect(await store.jobs.find(wishFor()), 'no build is made of it').toBeUndefined()
    })

    test('that fail or are cancelled are not remembered, and fail nothing else; a retry queues them', async () => {
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)
      const job = await run()
      await store.jobs.fail(job.build, FAILURE, undefined, 50)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'failed', failure: FAILURE, remembered: false })
      expect(await store.jobs.remembered('cffi')).toEqual([])
      expect(await store.jobs.get(metadata.id)).toMatchObject({ state: 'queued' })
      expect(await store.jobs.retry(job.id, 60)).toMatchObject({ state: 'queued', attempts: 0, failure: undefined })
      const again = await run(61)
      expect(again.id).toBe(job.id)
      expect(await store.jobs.cancel(job.id, 70)).toMatchObject({ state: 'cancelled', remembered: false })
      expect(await store.jobs.remembered('cffi')).toEqual([])
      expect(await store.jobs.heartbeat(again.build, 900)).toBe(false)
    })

    test('go before a queued build that its metadata job would bring forward, where they are wanted more', async () => {
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)
      await store.jobs.wish(wishFor(), 1)
      const { job: wanted } = await store.jobs.wish(wishFor({ kind: 'trial', recipe: 'r', priority: PRIORITY.asked }), 2)
      expect(await store.jobs.claim('w1', ALL, 10, 100)).toMatchObject({ id: metadata.id })
      expect(await store.jobs.claim('w1', ALL, 10, 100)).toMatchObject({ id: wanted.id })
    })

    test('are left alone by a wheel of the same sdist', async () => {
      const { job: waiting } = await store.jobs.wish(trial, 5)
      await store.jobs.wish(wishFor(), 1)
      const build = await store.jobs.claim('w1', { ...ALL, kinds: ['build'] }, 10, 100)
      await store.wheels.publish(wheelOf(build!), { id: build!.id, worker: 'w1', metadataChanged: false }, {}, 90)
      expect(await store.jobs.get(waiting.id)).toEqual(waiting)
    })
  })
}
