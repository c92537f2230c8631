import { describe, expect, test } from 'vitest'
import { PRIORITY, type Wish } from '../../../src/domain/job.ts'
import { ALL, BOTH, TARGET, type StoreBench, wishFor } from './bench.ts'

/** What people are shown of jobs. */
export function queueContract({ store, running, failed }: StoreBench): void {
  describe('the list of jobs', () => {
    test('is by kind, and goes on before the last one that was seen', async () => {
      const ids: number[] = []
      for (const [n, kind] of (['build', 'trial', 'build', 'metadata', 'build'] as const).entries()) {
        ids.push((await store.jobs.wish(wishFor({ kind, recipe: String(n) }), n)).job.id)
      }
      const listed = async (filter: Parameters<typeof store.jobs.list>[0]) => (await store.jobs.list(filter)).map(({ id }) => ids.indexOf(id))
      expect(await listed({ kind: 'build' })).toEqual([4, 2, 0])
      expect(await listed({ kind: 'trial' })).toEqual([1])
      expect(await listed({ limit: 2 })).toEqual([4, 3])
      expect(await listed({ limit: 2, before: ids[3]! })).toEqual([2, 1])
      expect(await listed({ kind: 'build', state: 'queued', project: 'cffi', before: ids[4]! })).toEqual([2, 0])
      expect(await listed({ before: ids[0]! })).toEqual([])
    })

    test('is the next ones in the order of claims, or those that ended last, where that is asked for', async () => {
      const wishes: [Partial<Wish>, number][] = [
        [{ recipe: 'prebuilt', priority: PRIORITY.prebuild }, 1], [{ recipe: 'asked late', priority: PRIORITY.asked }, 9], [{ recipe: 'asked early', priority: PRIORITY.asked }, 2],
        [{ recipe: 'waiting', priority: PRIORITY.waiting }, 9], [{ recipe: 'metadata', kind: 'metadata', priority: PRIORITY.rebuild }, 9],
      ]
      for (const [change, now] of wishes) await store.jobs.wish(wishFor(change), now)
      const recipes = async (filter: Parameters<typeof store.jobs.list>[0]) => (await store.jobs.list(filter)).map(({ recipe }) => recipe)
      const next = await recipes({ state: 'queued', order: 'next' })
      expect(next).toEqual(['metadata', 'waiting', 'asked early', 'asked late', 'prebuilt'])
      expect(await recipes({ state: 'queued', order: 'next', limit: 2 })).toEqual(['metadata', 'waiting'])
      const builds: number[] = []
      for (const recipe of next) {
        const job = await store.jobs.claim('w1', ALL, 10, 100)
        expect(job!.recipe).toBe(recipe)
        builds.push(job!.build)
      }
      for (const [n, build] of builds.toReversed().entries()) await store.jobs.fail(build, { class: 'build-failed', key: '' }, undefined, 20 + n)
      expect(await recipes({ state: 'failed', order: 'ended', limit: 3 })).toEqual(next.slice(0, 3))
    })
  })

  describe('how many go before', () => {
    test('is as claims go, job by job', async () => {
      const wishes: [Partial<Wish>, number][] = [
        [{ recipe: 'young', priority: PRIORITY.asked }, 9], [{ recipe: 'old', priority: PRIORITY.asked }, 2], [{ recipe: 'same time', priority: PRIORITY.asked }, 2],
        [{ recipe: 'waiting', priority: PRIORITY.waiting }, 9], [{ recipe: 'low', priority: PRIORITY.rebuild }, 1],
        [{ recipe: 'metadata', kind: 'metadata', priority: PRIORITY.rebuild }, 9], [{ recipe: 'trial', kind: 'trial', priority: PRIORITY.prebuild }, 3],
      ]
      for (const [change, now] of wishes) await store.jobs.wish(wishFor(change), now)
      const told = await store.jobs.ahead((await store.jobs.list()).map(({ id }) => id))
      expect(told.size).toBe(wishes.length)
      for (let claimed = 0; claimed < wishes.length; claimed++) {
        const job = await store.jobs.claim('w1', ALL, 10, 100)
        expect(told.get(job!.id), job!.recipe).toBe(claimed)
        expect(await store.jobs.ahead([job!.id])).toEqual(new Map())
      }
    })

    test('leaves out metadata jobs that their build answers, and what is over', async () => {
      await failed({ recipe: 'over' })
      await running({ recipe: 'runs' })
      await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'runs' }), 20)
      await store.jobs.wish(wishFor({ recipe: 'queued', priority: PRIORITY.rebuild }), 20)
      await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'queued' }), 20)
      const { job } = await store.jobs.wish(wishFor(), 30)
      expect(await store.jobs.ahead([job.id])).toEqual(new Map([[job.id, 0]]))
      await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'alone' }), 40)
      expect(await store.jobs.ahead([job.id, job.id + 100])).toEqual(new Map([[job.id, 1]]))
      expect(await store.jobs.ahead([])).toEqual(new Map())
    })
  })

  test('what runs and what comes next is told, with what it waits for, metadata left out', async () => {
    const first = await running({ recipe: 'first' })
    await store.jobs.waitFor(first.build, { needs: [{ requirement: 'x', wish: wishFor({ recipe: 'needed', sdist: { sha256: 'b'.repeat(64), filename: 'x.tar.gz' } }) }], failure: { class: 'build-failed', key: '' }, record: undefined }, 15)
    const needed = await store.jobs.claim('w1', BOTH, 20, 100)
    await store.jobs.wish(wishFor({ kind: 'metadata' }), 21)
    const { job: high } = await store.jobs.wish(wishFor({ recipe: 'high', priority: PRIORITY.waiting }), 22)
    expect(await store.jobs.outlook(10)).toEqual({
      running: [{ id: needed!.id, project: 'cffi', target: TARGET, startedAt: 20 }],
      queued: [{ id: high.id, project: 'cffi', target: TARGET, needs: [] }, { id: first.id, project: 'cffi', target: TARGET, needs: [needed!.id] }],
    })
    expect((await store.jobs.outlook(1)).queued).toHaveLength(1)
  })

  test('when a failed job is queued again by itself is known while it has failed', async () => {
    const never = await failed({ recipe: 'never' })
    const job = await failed({}, 1000)
    expect(await store.jobs.retryAt(job.id)).toBe(1000)
    expect(await store.jobs.retryAt(never.id)).toBeUndefined()
    expect(await store.jobs.retryAt(job.id + 100)).toBeUndefined()
    await store.jobs.retry(job.id, 60)
    expect(await store.jobs.retryAt(job.id)).toBeUndefined()
  })

  test('the steps of a run are told with their times, each run\'s its own', async () => {
    const job = await running()
    for (const [step, now] of [['plan', 11], ['fetch', 12], ['build', 1_700_000_000_123]] as const) await store.jobs.step(job.build, step, now)
    expect((await store.jobs.get(job.id))?.step).toBe('build')
    expect((await store.jobs.build(job.build))?.steps).toEqual([{ step: 'plan', startedAt: 11 }, { step: 'fetch', startedAt: 12 }, { step: 'build', startedAt: 1_700_000_000_123 }])
    const again = await store.jobs.claim('w2', BOTH, 100, 200)
    await store.jobs.step(job.build, 'repair', 101)
    await store.jobs.step(again!.build, 'plan', 102)
    expect((await store.jobs.build(job.build))?.steps).toHaveLength(3)
    expect((await store.jobs.build(again!.build))?.steps).toEqual([{ step: 'plan', startedAt: 102 }])
  })
}
