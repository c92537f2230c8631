import { describe, expect, test, vi } from 'vitest'
import { PRIORITY, type Job, type Wish } from '../../../src/domain/job.ts'
import { ALL, BOTH, FAILURE, type StoreBench, wheelOf, wishFor } from './bench.ts'

/** What becomes of jobs when their recipe changes. */
export function rekeyContract({ store, running, failed }: StoreBench): void {
  const wish = async (change: Partial<Wish> = {}): Promise<Job> => (await store.jobs.wish(wishFor(change), 1)).job
  const get = (job: Job) => store.jobs.get(job.id)

  describe('a job whose recipe changed', () => {
    test('has another key from then on, as if it were new; what failed, or has that recipe, is left alone', async () => {
      const over = await failed({ recipe: 'over' })
      const job = await wish()
      expect([await store.jobs.rekey(over.id, 'new', 5), await store.jobs.rekey(job.id, '', 5), await store.jobs.rekey(999, 'new', 5)]).toEqual(['kept', 'kept', 'kept'])
      const woken = vi.fn()
      const stop = store.jobs.watch(woken)
      expect(await store.jobs.rekey(job.id, 'new', 5)).toBe('changed')
      stop()
      expect(woken).toHaveBeenCalledTimes(1)
      expect(await store.jobs.find(wishFor({ recipe: 'new' }))).toMatchObject({ id: job.id, recipe: 'new' })
      expect(await store.jobs.find(wishFor())).toBeUndefined()
    })

    test.each(['queued', 'running'] as const)('is not remembered for what failed by the older one, and its page may change: %s', async (state) => {
      const job = await failed({}, 60)
      await store.jobs.requeue(60)
      if (state === 'running') await store.jobs.claim('w1', BOTH, 70, 170)
      expect(await get(job)).toMatchObject({ state, failure: FAILURE, remembered: true })
      const before = await store.generation('cffi')
      expect(await store.jobs.rekey(job.id, 'new', 80)).toBe('changed')
      expect(await get(job)).toMatchObject({ state, failure: undefined, remembered: false })
      expect(await store.jobs.remembered('cffi')).toEqual([])
      expect(await store.generation('cffi')).toBeGreaterThan(before)
    })
  })

  describe('where the same is wished for with the new recipe already', () => {
    test.each(['failed', 'built', 'cancelled'] as const)('one is enough: it waits for that, and ends as that does: %s', async (state) => {
      const job = await wish({ priority: PRIORITY.waiting })
      const heir = await wish({ recipe: 'new' })
      expect(await store.jobs.rekey(job.id, 'new', 5)).toEqual({ follows: heir.id })
      expect(await get(heir)).toMatchObject({ priority: PRIORITY.waiting })
      expect(await store.jobs.waitsFor([job.id]), 'it needs nothing').toEqual(new Map())
      const run = await store.jobs.claim('w1', BOTH, 10, 100)
      expect(run?.id).toBe(heir.id)
      expect(await store.jobs.claim('w2', BOTH, 10, 100)).toBeUndefined()
      if (state === 'failed') await store.jobs.fail(run!.build, FAILURE, undefined, 80, 500)
      else if (state === 'built') await store.wheels.publish(wheelOf(run!), { id: run!.id, worker: 'w1', metadataChanged: true }, {}, 80)
      else await store.jobs.cancel(heir.id, 80)
      const { state: ended, failure, remembered, build, metadataChanged, finishedAt } = (await get(heir))!
      expect(await get(job)).toMatchObject({ id: job.id, recipe: '', state: ended, failure, remembered, build, metadataChanged, finishedAt })
      expect(await store.jobs.retryAt(job.id)).toBe(state === 'failed' ? 500 : undefined)
    })

    test('a run is over at once, without a failure or an attempt', async () => {
      const job = await running()
      const heir = await wish({ recipe: 'new' })
      await store.jobs.step(job.build, 'plan', 15)
      expect(await store.jobs.rekey(job.id, 'new', 20)).toEqual({ follows: heir.id })
      expect(await get(job)).toMatchObject({ state: 'queued', attempts: 0, step: undefined })
      expect(await store.jobs.build(job.build)).toMatchObject({ finishedAt: 20, failure: undefined })
      expect(await store.jobs.heartbeat(job.build, 900)).toBe(false)
      expect(await store.jobs.claim('w1', BOTH, 20, 100)).toMatchObject({ id: heir.id })
    })

    test('and that is over, it ends likewise; one that failed is tried again first for whoever asked since', async () => {
      const heir = await failed({ recipe: 'new' }, 500)
      const old = await failed({}, 60)
      await store.jobs.requeue(60)
      expect(await store.jobs.rekey(old.id, 'new', 70)).toEqual({ follows: heir.id })
      expect(await get(old)).toMatchObject({ state: 'failed', failure: FAILURE, build: heir.build, remembered: true, finishedAt: 70 })
      expect(await store.jobs.retryAt(old.id), 'with that one').toBe(500)
      await store.jobs.retry(old.id, 80)
      expect(await store.jobs.rekey(old.id, 'new', 90)).toEqual({ follows: heir.id })
      expect([await get(heir), await get(old)]).toMatchObject([{ state: 'queued', remembered: false }, { state: 'queued' }])
      expect(await store.jobs.claim('w1', BOTH, 100, 200)).toMatchObject({ id: heir.id })
    })

    test('one that was built stays as it is', async () => {
      const job = await running()
      await store.jobs.done(job.build, undefined, 20)
      await wish({ recipe: 'new' })
      expect(await store.jobs.rekey(job.id, 'new', 30)).toBe('kept')
    })

    test('a rebuild is done anew however often it was', async () => {
      const rebuild = (recipe: string) => wishFor({ recipe, priority: PRIORITY.rebuild }) as Wish
      const { job: heir } = await store.jobs.rebuild({ ...rebuild('new'), kind: 'rebuild' }, 1)
      const run = await store.jobs.claim('w1', ALL, 10, 100)
      await store.wheels.publish(wheelOf(run!), { id: run!.id, worker: 'w1', metadataChanged: false }, {}, 20)
      const { job } = await store.jobs.rebuild({ ...rebuild(''), kind: 'rebuild' }, 30)
      expect(await store.jobs.rekey(job.id, 'new', 40)).toEqual({ follows: heir.id })
      expect(await get(heir)).toMatchObject({ state: 'queued', createdAt: 40 })
    })

    test('and the recipe goes there and back, neither waits for ever', async () => {
      const [a, b, c] = [await wish({ recipe: 'a' }), await wish({ recipe: 'b' }), await wish({ recipe: 'c' })]
      for (const recipe of ['b', 'c', 'a', 'b', 'a']) for (const job of [c, b, a]) await store.jobs.rekey(job.id, recipe, 5)
      const run = await store.jobs.claim('w1', BOTH, 10, 100)
      expect(run).toMatchObject({ id: a.id })
      await store.jobs.done(run!.build, undefined, 20)
      expect([await get(a), await get(b), await get(c)]).toMatchObject([{ state: 'built' }, { state: 'built' }, { state: 'built' }])
    })
  })
}
