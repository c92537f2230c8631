import { describe, expect, test } from 'vitest'
import { type StoreBench, wishFor } from './bench.ts'

/** Plans that somebody had built, and browsers that somebody logged in with. */
export function prebuildsContract({ store, another }: StoreBench): void {
  describe('prebuilds', () => {
    const about = { createdAt: 7, askedBy: 'admin', name: 'requirements.txt, uv.lock', targets: ['a', 'b'] }

    test('come back as they were stored, line by line in their order', async () => {
      const { job } = await store.jobs.wish(wishFor(), 1)
      const lines = [
        { plan: { project: 'six', verdict: 'upstream-wheel', filename: 'six.whl', line: null }, job: undefined, leftOut: false },
        { plan: { project: 'cffi', verdict: 'would-build', estimateSeconds: 12.5 }, job: job.id, leftOut: false },
        { plan: { project: 'cffi', verdict: 'would-build', target: 'b' }, job: job.id, leftOut: true },
      ]
      const id = await store.prebuilds.create({ ...about, lines })
      expect(await (await another()).prebuilds.get(id)).toEqual({ id, ...about, lines })
      expect(await store.prebuilds.get(id + 1)).toBeUndefined()
    })

    test('are listed newest first, without their lines', async () => {
      expect(await store.prebuilds.list(10)).toEqual([])
      const ids: number[] = []
      for (const name of ['1', '2', '3']) ids.push(await store.prebuilds.create({ ...about, name, lines: [] }))
      expect(await store.prebuilds.list(2)).toEqual([{ ...about, id: ids[2], name: '3' }, { ...about, id: ids[1], name: '2' }])
    })

    test('of a job that is not there are refused, and nothing of them is stored', async () => {
      await expect(store.prebuilds.create({ ...about, lines: [{ plan: {}, job: 999, leftOut: false }] })).rejects.toMatchObject({ code: 'internal' })
      expect(await store.prebuilds.list(10)).toEqual([])
    })

    test('of ten thousand lines are one write', async () => {
      const lines = Array.from({ length: 10_000 }, (_, n) => ({ plan: { project: `p${n}`, version: '1.0' }, job: undefined, leftOut: false }))
      const id = await store.prebuilds.create({ ...about, lines })
      expect((await store.prebuilds.get(id))?.lines.at(-1)).toEqual({ plan: { project: 'p9999', version: '1.0' }, job: undefined, leftOut: false })
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
