import { describe, expect, test } from 'vitest'
import { BOTH, type StoreBench, TARGET, wishFor } from './bench.ts'

/** What keeps a queued job waiting, and what is under way all the same. */
export function pauseContract({ store, another, running }: StoreBench): void {
  const claim = (now = 20) => store.jobs.claim('w2', BOTH, now, now + 100)

  describe('a pause', () => {
    test('has nothing claimed, in any process, and what runs goes on', async () => {
      const run = await running({ recipe: 'runs' })
      await store.jobs.wish(wishFor(), 11)
      const other = await another()
      expect(await store.jobs.paused()).toBeUndefined()
      expect(await other.jobs.pause('the machine is moved', 12)).toEqual({ reason: 'the machine is moved', since: 12 })
      expect(await claim()).toBeUndefined()
      expect(await claim(1000), 'a run whose lease is over is none that goes on').toBeUndefined()
      expect(await store.jobs.heartbeat(run.build, 200)).toBe(true)
      expect(await store.jobs.done(run.build, {}, 30)).toBe(true)
      expect(await store.jobs.resume()).toBe(true)
      expect(await other.jobs.paused()).toBeUndefined()
      expect(await store.jobs.resume()).toBe(false)
      expect(await claim()).toMatchObject({ state: 'running' })
    })

    test('goes on since it began, by another reason if one is given, and is there for the next process', async () => {
      expect(await store.jobs.pause(undefined, 5)).toEqual({ reason: undefined, since: 5 })
      expect(await store.jobs.pause('why', 6)).toEqual({ reason: 'why', since: 5 })
      expect(await store.jobs.pause(undefined, 7)).toEqual({ reason: 'why', since: 5 })
      store.close()
      const next = await another()
      expect(await next.jobs.paused()).toEqual({ reason: 'why', since: 5 })
      expect(await next.jobs.pause('', 8), 'an empty one takes it away').toEqual({ reason: undefined, since: 5 })
      await next.jobs.resume()
      expect(await next.jobs.pause('', 9)).toEqual({ reason: undefined, since: 9 })
    })

    test('is told to those who watch, and so is its end', async () => {
      let changes = 0
      const stop = store.jobs.watch(() => { changes += 1 })
      await store.jobs.pause(undefined, 5)
      expect(changes).toBe(1)
      await store.jobs.resume()
      expect(changes).toBe(2)
      await store.jobs.resume()
      expect(changes).toBe(2)
      stop()
    })
  })

  describe('a job is under way', () => {
    test('while it runs under a lease', async () => {
      const { job } = await store.jobs.wish(wishFor(), 1)
      expect(await store.jobs.underWay(job.id, 10)).toBe(false)
      const run = await claim(10)
      expect([await store.jobs.underWay(job.id, 109), await store.jobs.underWay(job.id, 110)]).toEqual([true, false])
      await store.jobs.done(run!.build, {}, 50)
      expect(await store.jobs.underWay(job.id, 60)).toBe(false)
      expect(await store.jobs.underWay(job.id + 100, 60)).toBe(false)
    })

    test('while what it waits for runs, by whatever detour', async () => {
      const needed = (recipe: string) => ({ requirement: recipe, wish: wishFor({ recipe, sdist: { sha256: recipe.padEnd(64, 'b'), filename: `${recipe}.tar.gz` } }) })
      const unmet = (recipe: string) => ({ needs: [needed(recipe)], failure: { class: 'build-failed', key: '' } as const, record: undefined })
      const first = await running({ recipe: 'first' })
      await store.jobs.waitFor(first.build, unmet('second'), 11)
      expect(await store.jobs.underWay(first.id, 12)).toBe(false)
      const second = await claim(12)
      expect(await store.jobs.underWay(first.id, 13)).toBe(true)
      await store.jobs.waitFor(second!.build, unmet('third'), 14)
      expect(await store.jobs.underWay(first.id, 15)).toBe(false)
      const third = await claim(16)
      expect([await store.jobs.underWay(first.id, 17), await store.jobs.underWay(first.id, 116)]).toEqual([true, false])
      expect(third!.recipe).toBe('third')
    })

    test('while the build of a metadata job runs; a metadata job is nothing for a build', async () => {
      const { job: metadata } = await store.jobs.wish(wishFor({ kind: 'metadata' }), 1)
      const { job: build } = await store.jobs.wish(wishFor({ image: 'sha256:other' }), 1)
      await store.jobs.claim('w2', { kinds: ['build'], targets: { [TARGET]: 'sha256:other' } }, 10, 100)
      expect([await store.jobs.underWay(metadata.id, 20), await store.jobs.underWay(build.id, 20)]).toEqual([true, true])
      const { job: another } = await store.jobs.wish(wishFor({ recipe: 'x' }), 21)
      await store.jobs.wish(wishFor({ kind: 'metadata', recipe: 'x' }), 21)
      expect(await store.jobs.claim('w3', { ...BOTH, kinds: ['metadata'] }, 22, 100)).toMatchObject({ recipe: 'x' })
      expect(await store.jobs.underWay(another.id, 23)).toBe(false)
    })
  })
}
