import { describe, expect, test } from 'vitest'
import { ALL, type StoreBench, wheelOf, wishFor } from './bench.ts'

const HOUR = 3_600_000

/** What installers were served. */
export function downloadsContract({ store, another }: StoreBench): void {
  describe('downloads', () => {
    /** A wheel whose build took so many seconds. */
    async function built(recipe: string, seconds: number) {
      await store.jobs.wish(wishFor({ recipe }), 1)
      const job = await store.jobs.claim('w1', ALL, 1000, 9_000_000)
      const wheel = wheelOf(job!, { filename: `${recipe}.whl`, number: Number(recipe) })
      await store.wheels.publish(wheel, { id: job!.id, worker: 'w1', metadataChanged: false }, {}, 1000 + seconds * 1000)
      return { sha256: wheel.sha256, filename: wheel.filename }
    }
    const upstreams = { sha256: 'b'.repeat(64), filename: 'six-1.17-py2.py3-none-any.whl' }

    test('none, at first', async () => {
      expect(await store.downloads.totals()).toEqual({ files: 0, wheels: 0, savedSeconds: 0 })
      expect(await store.downloads.built()).toBe(0)
      await store.downloads.add([])
      expect(await store.downloads.totals()).toEqual({ files: 0, wheels: 0, savedSeconds: 0 })
    })

    test('every file counts; of a wheel of ours the same client within an hour counts once, and each that counts saves its build\'s seconds', async () => {
      const one = await built('1', 2.5)
      const two = await built('2', 60)
      expect(await store.downloads.built()).toBe(2)
      await store.downloads.add([
        { ...upstreams, client: 'a', at: 0 }, { ...upstreams, client: 'a', at: 1 },
        { ...one, client: 'a', at: 0 }, { ...one, client: 'a', at: HOUR - 1 }, { ...one, client: 'b', at: 5 }, { ...two, client: 'a', at: 5 },
      ])
      expect(await store.downloads.totals()).toEqual({ files: 6, wheels: 3, savedSeconds: 2.5 + 2.5 + 60 })
      await store.downloads.add([{ ...one, client: 'a', at: HOUR }, { ...one, client: 'a', at: HOUR + 1 }])
      expect(await store.downloads.totals()).toEqual({ files: 8, wheels: 4, savedSeconds: 67.5 })
    })

    test('the hour is the same for every process, whichever writes first', async () => {
      const other = await another()
      const wheel = await built('1', 1)
      await other.downloads.add([{ ...wheel, client: 'a', at: HOUR }])
      await store.downloads.add([{ ...wheel, client: 'a', at: HOUR + 10 }, { ...wheel, client: 'a', at: HOUR - 10 }])
      expect(await other.downloads.totals()).toMatchObject({ files: 3, wheels: 1 })
      await store.downloads.add([{ ...wheel, client: 'a', at: 2 * HOUR }])
      expect(await other.downloads.totals()).toMatchObject({ wheels: 2 })
    })

    test('of days gone by, only the totals are left', async () => {
      const wheel = await built('1', 1)
      await store.downloads.add([{ ...wheel, client: 'a', at: HOUR }])
      await store.downloads.add([{ ...upstreams, client: 'a', at: 26 * HOUR }])
      await store.downloads.add([{ ...wheel, client: 'a', at: HOUR + 1 }])
      expect(await store.downloads.totals(), 'the row of the first is gone').toEqual({ files: 3, wheels: 2, savedSeconds: 2 })
    })

    test('concurrent writes of two processes are all counted', async () => {
      const other = await another()
      const wheel = await built('1', 3)
      const at = (n: number) => [{ ...wheel, client: `client ${n % 5}`, at: n }, { ...upstreams, client: 'x', at: n }]
      await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).downloads.add(at(n))))
      expect(await store.downloads.totals()).toEqual({ files: 40, wheels: 5, savedSeconds: 15 })
    })
  })
}
