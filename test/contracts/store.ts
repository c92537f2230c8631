import { describe, expect, test, vi } from 'vitest'
import { makeStoreBench, type MakeStore, wheelOf } from './store/bench.ts'
import { cacheContract } from './store/cache.ts'
import { changesContract } from './store/changes.ts'
import { downloadsContract } from './store/downloads.ts'
import { endingsContract } from './store/endings.ts'
import { glanceContract } from './store/glance.ts'
import { imagesContract } from './store/images.ts'
import { pauseContract } from './store/pause.ts'
import { pagesContract } from './store/pages.ts'
import { prebuildsContract } from './store/prebuilds.ts'
import { queueContract } from './store/queue.ts'
import { rebuildsContract } from './store/rebuilds.ts'
import { rekeyContract } from './store/rekey.ts'
import { recipesContract } from './store/recipes.ts'
import { roomContract } from './store/room.ts'
import { runsContract } from './store/runs.ts'
import { trialsContract } from './store/trials.ts'
import { waitsContract } from './store/waits.ts'
import { wishesContract } from './store/wishes.ts'

/** What every database does. */
export function storeContract(name: string, make: MakeStore): void {
  describe(`${name} as a store`, () => {
    const bench = makeStoreBench(make)
    const { store, another, running } = bench
    pagesContract(bench)
    glanceContract(bench)
    wishesContract(bench)
    runsContract(bench)
    imagesContract(bench)
    endingsContract(bench)
    changesContract(bench)
    trialsContract(bench)
    queueContract(bench)
    pauseContract(bench)
    prebuildsContract(bench)
    downloadsContract(bench)
    recipesContract(bench)
    rekeyContract(bench)
    waitsContract(bench)
    roomContract(bench)
    rebuildsContract(bench)
    cacheContract(bench)

    describe('workers', () => {
      test('targets are the union of the workers heard of; the newest image counts', async () => {
        await store.workers.beat('w1', { a: 'old', b: '1' }, 10)
        await store.workers.beat('w2', { a: 'new' }, 20)
        expect(await store.workers.targets(10)).toEqual(new Map([['a', 'new'], ['b', '1']]))
        expect(await store.workers.targets(11)).toEqual(new Map([['a', 'new']]))
        await store.workers.beat('w1', { c: '3' }, 30)
        expect(await store.workers.targets(11)).toEqual(new Map([['a', 'new'], ['c', '3']]))
        await store.workers.beat('w2', {}, 25)
        expect(await store.workers.targets(0)).toEqual(new Map([['c', '3']]))
        expect(await store.workers.live(26), 'a last word may lie in the past').toEqual(['w1'])
      })

      test('when a target was last told of is known of those that are told of no more', async () => {
        expect(await store.workers.heard('a')).toBeUndefined()
        await store.workers.beat('w1', { a: '1', b: '1' }, 10)
        await store.workers.beat('w2', { a: '2' }, 20)
        await store.workers.beat('w1', {}, 30)
        await store.workers.beat('w2', {}, 30)
        expect([await store.workers.heard('a'), await store.workers.heard('b')]).toEqual([20, 10])
        await store.workers.beat('w3', { a: '3' }, 15)
        expect(await store.workers.heard('a'), 'a clock that is behind changes nothing').toBe(20)
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
        await store.secrets.replace('key', 'another')
        await store.secrets.replace('new', 'too')
        expect(await other.secrets.secret('key', never)).toBe('another')
        expect(await other.secrets.secret('new', never)).toBe('too')
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
