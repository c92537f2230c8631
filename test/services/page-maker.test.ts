import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makePage, type PageTask } from '../../src/services/make-page.ts'
import { createPageMaker, type PageMaker } from '../../src/services/page-maker.ts'
import { createSideThread } from '../../src/services/side-thread.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'

let clock: ManualClock
let thread: ReturnType<typeof createSideThread>
let maker: PageMaker
beforeEach(() => {
  clock = manualClock()
  thread = createSideThread({ clock, thread: new URL('../fixtures/crashing-side-thread.ts', import.meta.url) })
  maker = createPageMaker(thread)
})
afterEach(() => thread.close())

function task(files: number, change: Partial<PageTask> = {}): PageTask {
  const page = {
    meta: { 'api-version': '1.4' }, name: 'p',
    files: Array.from({ length: files }, (_, n) => ({ filename: `p-${n}.tar.gz`, url: `p-${n}.tar.gz`, hashes: { sha256: createHash('sha256').update(String(n)).digest('hex') }, extra: 'x'.repeat(200) })),
  }
  return { project: 'p', json: Buffer.from(JSON.stringify(page)), pageUrl: 'https://upstream.example/simple/p/', wheels: [], policy: undefined, promises: undefined, root: '../../', format: 'json', coding: 'identity', asOld: false, olderBuilds: 'yanked', announce: undefined, provenanceRoot: undefined, olderMetadata: true, ...change }
}

test('a big page is the same whether it is made here or there, in each coding', async () => {
  const plain = Buffer.from(makePage(task(1000)).body)
  const made = async (coding: PageTask['coding']) => maker.make(task(1000, { coding }))
  const [identity, gzip, zstd] = [await made('identity'), await made('gzip'), await made('zstd')]
  expect(plain.equals(identity.body)).toBe(true)
  expect(plain.equals(gunzipSync(gzip.body))).toBe(true)
  expect(plain.equals(zstdDecompressSync(zstd.body))).toBe(true)
  const sha256 = createHash('sha256').update(plain).digest('hex')
  expect([identity.sha256, gzip.sha256, zstd.sha256]).toEqual([sha256, sha256, sha256])
})

test('bytes that are kept keep nothing else alive', async () => {
  for (const files of [1, 1000]) {
    for (const coding of ['identity', 'gzip', 'zstd'] as const) {
      const { body } = await maker.make(task(files, { coding }))
      expect(body.buffer.byteLength).toBe(body.byteLength)
    }
  }
})

test('a thread that ends costs the pages that it was making, and the next page has another', async () => {
  const [lost, crashed] = await Promise.allSettled([maker.make(task(1000, { project: 'crash' })), maker.make(task(1000))])
  expect([lost.status, crashed.status]).toEqual(['rejected', 'rejected'])
  expect((await maker.make(task(1000))).sha256).toMatch(/^[0-9a-f]{64}$/)
})

test('what is no page is an error of that page alone', async () => {
  const broken = Buffer.from(`{"files": ${'['.repeat(300_000)}`)
  await expect(maker.make(task(0, { json: broken }))).rejects.toThrow(/side thread failed.*JSON/s)
  await expect(maker.make(task(1000))).resolves.toBeDefined()
})

test('a thread that had nothing to do for a while is ended, not one that works again', async () => {
  await maker.make(task(1000))
  expect(clock.sleeping()).toBe(1)
  const again = maker.make(task(1000))
  expect(clock.sleeping()).toBe(0)
  await again
  await clock.advance(10_000)
  expect(clock.sleeping()).toBe(0)
  await expect(maker.make(task(1000))).resolves.toBeDefined()
})

test('this thread goes on while a big page is made', async () => {
  await maker.make(task(1000))
  const big = task(30_000)
  const alone = performance.now()
  makePage({ ...big, coding: 'gzip' })
  const took = performance.now() - alone
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await maker.make({ ...big, coding: 'gzip' })
  delay.disable()
  // Its longest stop is the copying of the bytes, whatever else the machine does.
  expect(delay.max / 1e6).toBeLessThan(Math.max(50, took / 2))
})
