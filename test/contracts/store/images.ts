import { describe, expect, test, vi } from 'vitest'
import { PRIORITY, type Wish } from '../../../src/domain/job.ts'
import { ALL, BOTH, FAILURE, TARGET, type StoreBench, wishFor } from './bench.ts'

/** What becomes of jobs when their builder image changes. */
export function imagesContract({ store, running, failed }: StoreBench): void {
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

    test.each(['built', 'failed'] as const)('a rebuild is done anew, however often it was with the new one: %s', async (state) => {
      const rebuild = (change: Partial<Wish> = {}) => ({ ...wishFor({ priority: PRIORITY.rebuild, ...change }), kind: 'rebuild' as const })
      const { job: heir } = await store.jobs.rebuild(rebuild({ image: 'sha256:newer' }), 1)
      const all = { ...ALL, targets: NEW }
      const first = await store.jobs.claim('w1', all, 10, 100)
      if (state === 'built') await store.jobs.done(first!.build, undefined, 20)
      else await store.jobs.fail(first!.build, FAILURE, undefined, 20)
      const { job } = await store.jobs.rebuild(rebuild({ askedBy: 'admin' }), 30)
      expect(await store.jobs.adopt(NEW, 50, 60)).toBe(1)
      expect([await store.jobs.get(job.id), await store.jobs.get(heir.id)]).toMatchObject([{ state: 'queued' }, { state: 'queued', askedBy: 'admin', createdAt: 60 }])
      expect(await store.jobs.adopt(NEW, 50, 70), 'once').toBe(0)
      const run = await store.jobs.claim('w1', all, 80, 100)
      expect(run).toMatchObject({ id: heir.id })
      expect(await store.jobs.adopt(NEW, 50, 85)).toBe(0)
      await store.jobs.done(run!.build, undefined, 90)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'built', build: run!.build })
      expect(await store.jobs.adopt(NEW, 50, 95), 'and not again').toBe(0)
    })

    test('metadata waits for a build that still runs with the old one', async () => {
      await running()
      const { job } = await store.jobs.wish(newer({ kind: 'metadata' }), 20)
      expect(await store.jobs.claim('w2', NEWER, 30, 100)).toBeUndefined()
      expect(await store.jobs.claim('w2', NEWER, 100, 200)).toMatchObject({ id: job.id })
    })
  })
}
