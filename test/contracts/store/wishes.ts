import { describe, expect, test } from 'vitest'
import { PRIORITY, type Wish } from '../../../src/domain/job.ts'
import { BOTH, FAILURE, type StoreBench, wishFor } from './bench.ts'

/** Making jobs, finding and counting them. */
export function wishesContract({ store, another, failed }: StoreBench): void {
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

    test('a bound on the queue counts what is queued of both kinds, and refuses new jobs alone', async () => {
      const bounds = [{ counted: 'wanted' as const, most: 2, refusal }]
      const asked = (change: Partial<Wish> = {}): Wish => wishFor({ priority: PRIORITY.asked, ...change })
      await store.jobs.wish(asked({ kind: 'metadata' }), 1, bounds)
      await store.jobs.wish(asked(), 1, bounds)
      await expect(store.jobs.wish(asked({ recipe: 's', askedBy: 'other' }), 1, bounds)).rejects.toThrow('no more')
      expect(await store.jobs.find(wishFor({ recipe: 's' }))).toBeUndefined()
      expect(await store.jobs.wish(asked({ priority: PRIORITY.waiting }), 1, bounds)).toMatchObject({ created: false, job: { priority: PRIORITY.waiting } })
      await expect(store.jobs.wish(asked({ kind: 'metadata', recipe: 's' }), 1, bounds)).rejects.toThrow('no more')
      await store.jobs.claim('w1', { ...BOTH, kinds: ['build'] }, 10, 100)
      expect((await store.jobs.wish(asked({ recipe: 's' }), 1, bounds)).created).toBe(true)
    })

    test('a bound on the queue leaves out what is queued in the background or prebuilt, until somebody wants it', async () => {
      const bounds = [{ counted: 'wanted' as const, most: 1, refusal }]
      const failures = [await failed({}, 1000), await failed({ recipe: 'r' }, 1000)]
      expect(await store.jobs.requeue(1000)).toBe(failures.length)
      for (const recipe of ['p1', 'p2']) await store.jobs.wish(wishFor({ recipe, priority: PRIORITY.prebuild }), 1000)
      const { job } = await store.jobs.wish(wishFor({ recipe: 's', priority: PRIORITY.asked }), 1001, bounds)
      await store.jobs.cancel(job.id, 1002)
      await store.jobs.wish(wishFor({ priority: PRIORITY.waiting }), 1003, bounds)
      await expect(store.jobs.wish(wishFor({ recipe: 't' }), 1004, bounds)).rejects.toThrow('no more')
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
}
