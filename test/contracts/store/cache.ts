import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { StoredBlob } from '../../../src/services/ports.ts'
import { type StoreBench, wheelOf } from './bench.ts'

const DIGITS = ['a', 'b', 'c', 'd', 'e', 'f']
const digest = (digit: string) => digit.repeat(64)

/** What is stored of the upstream's files, and what is changed where bytes are lost. */
export function cacheContract({ store, another, running }: StoreBench): void {
  async function listed(...digits: string[]): Promise<void> {
    const files = digits.map((digit) => ({ sha256: digest(digit), filename: `p-${digit}.whl`, project: 'p', url: 'https://upstream.example/f', metadata: undefined }))
    await store.pages.put({ project: 'p', json: Buffer.from('{}'), url: 'https://upstream.example/simple/p/', validator: undefined, fetchedAt: 5 }, files)
  }
  const use = (digit: string, at: number, size?: number) => store.cache.note([{ sha256: digest(digit), size, at }])
  const oldest = async () => (await store.cache.oldest(10)).map(({ sha256 }) => sha256[0])
  async function* stored(...blobs: Partial<StoredBlob>[]): AsyncGenerator<StoredBlob> { for (const blob of blobs) yield { sha256: '', size: 1, keptAt: 1, ...blob } }

  describe('the cache', () => {
    test('is the upstream\'s files that are stored, by their last use', async () => {
      await listed('a', 'b', 'c')
      expect(await store.cache.total()).toEqual({ files: 0, bytes: 0 })
      await use('a', 10, 100)
      await use('b', 20, 200)
      await use('c', 30, 300)
      expect(await (await another()).cache.total()).toEqual({ files: 3, bytes: 600 })
      expect(await oldest()).toEqual(['a', 'b', 'c'])
      await use('a', 40)
      await use('c', 5)
      expect(await oldest(), 'what is told late is not the last use').toEqual(['b', 'c', 'a'])
      expect(await store.cache.oldest(1)).toEqual([{ sha256: digest('b'), size: 200, usedAt: 20, projects: ['p'] }])
      expect((await store.cache.oldest(1, { sha256: digest('b'), usedAt: 20 }))[0]?.sha256).toBe(digest('c'))
    })

    test('is that of those whose files they are, whoever lists them', async () => {
      const wheel = (project: string) => ({ sha256: digest('a'), filename: 'p-1-py3-none-any.whl', project, url: 'https://upstream.example/f', metadata: undefined })
      for (const project of ['evil', 'p']) await store.pages.put({ project, json: Buffer.from('{}'), url: 'https://upstream.example/', validator: undefined, fetchedAt: 5 }, [wheel(project), { ...wheel(project), filename: `${project}-2-py3-none-any.whl` }])
      await use('a', 10, 100)
      expect((await store.cache.oldest(1))[0]?.projects).toEqual(['evil', 'p'])
      await store.pages.put({ project: 'more', json: Buffer.from('{}'), url: 'https://upstream.example/', validator: undefined, fetchedAt: 5 }, [wheel('more')])
      expect((await store.cache.oldest(1))[0]?.projects).toEqual(['evil', 'p'])
    })

    test('knows nothing of what no page names, nor of what was asked for and never stored', async () => {
      await listed('a')
      await use('b', 10, 100)
      await use('a', 10)
      expect(await store.cache.total()).toEqual({ files: 0, bytes: 0 })
      await use('a', 10, 100)
      await use('a', 11, 100)
      expect(await store.cache.total()).toEqual({ files: 1, bytes: 100 })
    })

    test('forgets what went, but not what was used meanwhile', async () => {
      await listed('a')
      await use('a', 10, 100)
      await use('a', 20)
      await store.cache.forget(digest('a'), 10)
      expect((await store.cache.total()).files).toBe(1)
      await store.cache.forget(digest('a'), 20)
      expect(await store.cache.total()).toEqual({ files: 0, bytes: 0 })
    })

    test('has nothing to give of what anything else needs', async () => {
      await listed(...DIGITS)
      for (const [index, digit] of DIGITS.entries()) await use(digit, index, 1)
      expect(await store.cache.held()).toBe(0)
      const job = await running()
      expect(await oldest(), 'a job reads its sdist').not.toContain('a')
      await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, { requirements: [{ filename: 'x.whl', sha256: digest('b') }, 'odd', { sha256: null }] }, 90)
      await store.kept.put({ path: 'apk/x', sha256: digest('c'), size: 1, etag: undefined, fetchedAt: 1 })
      expect(await oldest(), 'a: its sdist, b: its record, c: kept, d: its METADATA, e: itself').toEqual(['f'])
      await store.pages.putList({ sha256: digest('f'), validator: undefined, fetchedAt: 1 })
      expect([await oldest(), await store.cache.held()]).toEqual([[], 6])
    })

    test('is looked through for what else is needed by parts, which let others in between', async () => {
      const digits = Array.from({ length: 16 }, (_, digit) => digit.toString(16))
      await listed(...digits)
      for (const [index, digit] of digits.entries()) {
        await use(digit, 1, 2 ** index)
        if (index % 2 === 1) await store.kept.put({ path: digit, sha256: digest(digit), size: 2 ** index, etag: undefined, fetchedAt: 1 })
      }
      let turns = 0
      let looking = true
      const others = (async () => { for (; looking; turns += 1) await turn() })()
      expect(await store.cache.held()).toBe(0b1010_1010_1010_1010)
      looking = false
      await others
      expect(turns).toBeGreaterThan(100)
    })

    test('is counted anew from what is stored, without losing last uses or what came meanwhile', async () => {
      await listed('a', 'b', 'c', 'd')
      expect(await store.cache.state()).toEqual({ counted: false, upstream: undefined, since: 0 })
      await use('a', 10, 100)
      await use('b', 20, 200)
      await use('d', 50, 400)
      await store.cache.count(stored({ sha256: digest('a'), size: 100, keptAt: 1 }, { sha256: digest('c'), size: 300, keptAt: 15 }, { sha256: digest('e') }), 50)
      expect(await store.cache.total()).toEqual({ files: 3, bytes: 800 })
      expect(await store.cache.oldest(9)).toMatchObject([{ sha256: digest('a'), usedAt: 10 }, { sha256: digest('c'), usedAt: 15 }, { sha256: digest('d'), usedAt: 50 }])
      await store.cache.setUpstream('https://upstream.example/', 7)
      expect(await store.cache.state()).toEqual({ counted: true, upstream: 'https://upstream.example/', since: 7 })
    })
  })

  describe('bytes that are lost', () => {
    test('of a wheel: it is listed no more, its job is queued in the background, and its page is another', async () => {
      const job = await running()
      const wheel = wheelOf(job)
      await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
      const before = await store.generation('cffi')
      for (const kind of ['wheel', 'wheel-metadata'] as const) {
        expect(await store.mend.lose({ kind, sha256: digest('7'), name: wheel.filename }, 200), 'the wheel is another by now').toBe(false)
      }
      expect(await store.wheels.wheels('cffi')).toHaveLength(1)
      expect(await store.mend.lose({ kind: 'wheel', sha256: wheel.sha256, name: wheel.filename }, 200)).toBe(true)
      expect(await store.wheels.wheels('cffi')).toEqual([])
      expect(await store.generation('cffi')).toBeGreaterThan(before)
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued', attempts: 0, priority: 10 })
      expect(await store.mend.lose({ kind: 'wheel', sha256: wheel.sha256, name: wheel.filename }, 200)).toBe(false)
      const again = await store.jobs.claim('w2', { kinds: ['build'], targets: { [job.target]: job.image } }, 300, 400)
      expect(again).toMatchObject({ id: job.id })
      expect(await store.wheels.publish({ ...wheel, build: again!.build }, { id: job.id, worker: 'w2', metadataChanged: false }, {}, 350)).toBe(true)
      expect(await store.wheels.wheels('cffi')).toHaveLength(1)
    })

    test('of what can be had again: it is forgotten', async () => {
      await listed('a')
      await use('a', 10, 100)
      await store.kept.put({ path: 'apk/x', sha256: digest('c'), size: 1, etag: undefined, fetchedAt: 1 })
      await store.pages.putList({ sha256: digest('f'), validator: undefined, fetchedAt: 1 })
      await store.mend.lose({ kind: 'upstream-file', sha256: digest('a'), name: '' }, 1)
      await store.mend.lose({ kind: 'kept', sha256: digest('c'), name: '' }, 1)
      await store.mend.lose({ kind: 'list', sha256: digest('f'), name: '' }, 1)
      await store.mend.losePage('p')
      expect([await store.cache.total(), await store.kept.get('apk/x'), await store.pages.list(), await store.pages.get('p')]).toEqual([{ files: 0, bytes: 0 }, undefined, undefined, undefined])
      expect(await store.pages.file(digest('a'), 'p-a.whl'), 'what a page said is not lost').toBeDefined()
    })

    test('of a promise\'s METADATA: they are made again', async () => {
      const job = await running({ kind: 'metadata' })
      await store.metadata.set(job.sdist.sha256, job.target, digest('d'))
      await store.jobs.done(job.build, {}, 50)
      const before = await store.generation('cffi')
      expect(await store.mend.lose({ kind: 'promise-metadata', sha256: digest('d'), name: '' }, 60)).toBe(true)
      expect(await store.metadata.get(job.sdist.sha256, job.target)).toBeUndefined()
      expect(await store.jobs.get(job.id)).toMatchObject({ state: 'queued' })
      expect(await store.generation('cffi')).toBeGreaterThan(before)
    })

    test('METADATA of a wheel that are told anew are its promise\'s too', async () => {
      const job = await running()
      const wheel = wheelOf(job)
      await store.wheels.publish(wheel, { id: job.id, worker: 'w1', metadataChanged: false }, {}, 90)
      await store.mend.setWheelMetadata(wheel.filename, digest('9'))
      await store.mend.setWheelMetadata('other.whl', digest('8'))
      expect(await store.wheels.wheels('cffi')).toMatchObject([{ metadata: digest('9') }])
      expect(await store.metadata.get(job.sdist.sha256, job.target)).toBe(digest('9'))
    })
  })
}
