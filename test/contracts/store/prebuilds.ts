import { describe, expect, test, vi } from 'vitest'
import { PRIORITY } from '../../../src/domain/job.ts'
import { type StoreBench, wishFor } from './bench.ts'

/** Plans that somebody had built, and browsers that somebody logged in with. */
export function prebuildsContract({ store, another, failed }: StoreBench): void {
  describe('prebuilds', () => {
    const about = { createdAt: 7, askedBy: 'admin', name: 'requirements.txt, uv.lock', targets: ['a', 'b'] }

    test('come back as they were stored, line by line in their order', async () => {
      const { job } = await store.jobs.wish(wishFor(), 1)
      const plans = [{ project: 'six', verdict: 'upstream-wheel', filename: 'six.whl', line: null }, { project: 'cffi', verdict: 'would-build', estimateSeconds: 12.5 }, { target: 'b' }]
      const lines = plans.map((plan, n) => ({ plan, leftOut: n === 2, ...n === 1 && { wish: wishFor() } }))
      const id = await store.prebuilds.create({ ...about, lines })
      expect(await (await another()).prebuilds.get(id)).toEqual({ id, ...about, lines: plans.map((plan, n) => ({ plan, job: n === 1 ? job.id : undefined, leftOut: n === 2 })) })
      expect(await store.prebuilds.get(id + 1)).toBeUndefined()
    })

    test('are listed newest first, without their lines', async () => {
      expect(await store.prebuilds.list(10)).toEqual([])
      const ids: number[] = []
      for (const name of ['1', '2', '3']) ids.push(await store.prebuilds.create({ ...about, name, lines: [] }))
      expect(await store.prebuilds.list(2)).toEqual([{ ...about, id: ids[2], name: '3' }, { ...about, id: ids[1], name: '2' }])
    })

    test('make their jobs, or raise those that are there, and queue again only what they are told to', async () => {
      const over = await failed({ recipe: 'over' })
      const again = await failed({ recipe: 'again' })
      const low = (await store.jobs.wish(wishFor({ recipe: 'low', priority: PRIORITY.rebuild }), 1)).job
      const changed = vi.fn()
      const unwatch = store.jobs.watch(changed)
      const wish = (recipe: string) => ({ plan: { recipe }, wish: wishFor({ recipe, priority: PRIORITY.prebuild }), leftOut: false })
      const id = await store.prebuilds.create({ ...about, lines: [wish('new'), wish('low'), wish('new'), wish('over'), { ...wish('again'), again: true }] })
      unwatch()
      expect(changed).toHaveBeenCalledOnce()
      const made = (await store.jobs.list({ limit: 1 }))[0]!
      expect((await store.prebuilds.get(id))!.lines.map(({ job }) => job)).toEqual([made.id, low.id, made.id, over.id, again.id])
      expect(made).toMatchObject({ recipe: 'new', state: 'queued', createdAt: 7 })
      expect(await store.jobs.get(low.id)).toMatchObject({ priority: PRIORITY.prebuild })
      expect(await store.jobs.get(over.id)).toMatchObject({ state: 'failed' })
      expect(await store.jobs.get(again.id)).toMatchObject({ state: 'queued', remembered: false })
    })

    test('that cannot be stored leave no job behind', async () => {
      const broken = { plan: { toJSON() { throw new Error('no line') } }, wish: wishFor({ recipe: 'second' }), leftOut: false }
      await expect(store.prebuilds.create({ ...about, lines: [{ plan: {}, wish: wishFor(), leftOut: false }, broken] })).rejects.toThrow()
      expect(await store.prebuilds.list(10)).toEqual([])
      expect(await store.jobs.list()).toEqual([])
    })

    test('of ten thousand jobs are one write', async () => {
      const lines = Array.from({ length: 10_000 }, (_, n) => ({ plan: { project: `p${n}` }, wish: wishFor({ recipe: String(n) }), leftOut: false }))
      const id = await store.prebuilds.create({ ...about, lines })
      expect((await store.prebuilds.get(id))?.lines.at(-1)).toEqual({ plan: { project: 'p9999' }, job: expect.any(Number), leftOut: false })
    })
  })

  describe('sessions', () => {
    const session = { tokenSha256: 't'.repeat(64), csrf: 'secret', expiresAt: 1000 }

    test('are found by their digest, in every process, until they are over or removed', async () => {
      await store.sessions.create({ idSha256: '1'.repeat(64), ...session })
      await store.sessions.create({ idSha256: '2'.repeat(64), ...session, expiresAt: 2000 })
      const other = await another()
      expect(await other.sessions.get('1'.repeat(64), 999)).toEqual(session)
      expect(await other.sessions.get('3'.repeat(64), 999)).toBeUndefined()
      expect(await other.sessions.get('1'.repeat(64), 1000)).toBeUndefined()
      expect(await other.sessions.get('1'.repeat(64), 999), 'it was cleared away').toBeUndefined()
      expect(await store.sessions.get('2'.repeat(64), 1000)).toEqual({ ...session, expiresAt: 2000 })
      await store.sessions.remove('2'.repeat(64))
      await store.sessions.remove('2'.repeat(64))
      expect(await other.sessions.get('2'.repeat(64), 1000)).toBeUndefined()
    })
  })
}
