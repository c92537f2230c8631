import { describe, expect, test, vi } from 'vitest'
import { BOTH, FAILURE, TARGET, type StoreBench, wheelOf, wishFor } from './bench.ts'

/** How others learn of changes. */
export function changesContract({ store, another, running, failed }: StoreBench): void {
  describe('generations', () => {
    test('what may change a page raises its generation, in every process, and no other project\'s', async () => {
      const other = await another()
      const page = { project: 'cffi', json: undefined, url: 'u', validator: undefined, fetchedAt: 1 }
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
      await store.jobs.step(first?.build ?? 0, 'build', 3)
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
}
