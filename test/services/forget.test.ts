import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type Job } from '../../src/domain/job.ts'
import { createForget, type Forget } from '../../src/services/forget.ts'
import { createUpstreamPages } from '../../src/services/upstream-pages.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { type Bench, makeBench, silent, TARGET, wishFor } from './bench.ts'

const DAY = 24 * 60 * 60 * 1000

let bench: Bench
let forget: Forget
beforeEach(async () => {
  bench = await makeBench()
  const nobody = { page: async () => { throw new Error('nothing is asked') } } as unknown as Upstream
  const upstreamPages = createUpstreamPages({ store: bench.store, upstream: nobody, clock: bench.clock, log: silent, freshness: 60 })
  forget = createForget({ store: bench.store, upstreamPages, clock: bench.clock })
})
afterEach(() => bench.close())

const USED = { filename: 'setuptools-80.0-py3-none-any.whl', sha256: '8'.repeat(64) }

async function failed(record: Record<string, unknown>, change: Partial<Job> = {}, retryAt: number | undefined = bench.clock.now() + 3 * DAY): Promise<number> {
  await bench.wish(change as never)
  const run = await bench.claim()
  await bench.store.jobs.fail(run.build, { class: 'build-failed', key: 'x' }, record, bench.clock.now(), retryAt)
  return run.id
}

async function page(...files: { filename: string; sha256: string; at: number }[]): Promise<void> {
  const listed = files.map(({ filename, sha256, at }) => ({ filename, url: filename, hashes: { sha256 }, 'upload-time': new Date(at).toISOString() }))
  const json = Buffer.from(JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'setuptools', files: listed }))
  await bench.store.pages.put({ project: 'setuptools', json, url: 'https://upstream.example/', validator: undefined, fetchedAt: bench.clock.now() }, [])
}

describe('what failed with other build requirements than those of today', () => {
  test('is tried again in the background, once, and stays remembered', async () => {
    const id = await failed({ requirements: [USED], plan: { requires: ['setuptools'] } })
    await page({ ...USED, at: 5 })
    expect(await forget()).toBe(0)
    await bench.clock.advance(DAY)
    await page({ ...USED, at: 5 }, { filename: 'setuptools-81.0-py3-none-any.whl', sha256: '9'.repeat(64), at: bench.clock.now() })
    expect(await forget()).toBe(1)
    expect(await forget()).toBe(0)
    expect(await bench.store.jobs.requeue(bench.clock.now())).toBe(1)
    expect(await bench.job(id)).toMatchObject({ state: 'queued', priority: PRIORITY.background, remembered: true })
    expect(await bench.store.jobs.remembered('demo')).toHaveLength(1)
  })

  test('counts our own wheels too: one that was built again, or that is superseded', async () => {
    await failed({ requirements: [{ filename: 'numpy-2.0-1-cp313-cp313-musllinux_1_2_x86_64.whl', sha256: '1'.repeat(64) }], plan: { requires: ['numpy'] } })
    const numpy = async (number: number) => {
      await bench.store.jobs.wish(wishFor({ project: 'numpy', version: '2.0', recipe: String(number), sdist: { sha256: 'b'.repeat(64), filename: 'numpy-2.0.tar.gz' } }), 1)
      const run = await bench.claim()
      const wheel = {
        sha256: String(number).repeat(64), filename: `numpy-2.0-${number}-cp313-cp313-musllinux_1_2_x86_64.whl`, size: 1, project: 'numpy', version: '2.0', target: TARGET,
        sdist: 'b'.repeat(64), number, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 1, build: run.build,
      }
      await bench.store.wheels.publish(wheel, { id: run.id, worker: 'me', metadataChanged: false }, {}, 2)
    }
    await numpy(1)
    expect(await forget()).toBe(0)
    await numpy(2)
    expect(await forget()).toBe(1)
  })

  test('that were withdrawn, and are had again all the same, is tried again once', async () => {
    await page()
    let tried = 0
    await bench.wish()
    for (let n = 0; n < 5; n++) {
      const run = await bench.claim()
      await bench.store.jobs.fail(run.build, { class: 'build-failed', key: 'x' }, { requirements: [USED], plan: { requires: ['other'] } }, bench.clock.now(), bench.clock.now() + 3 * DAY)
      tried += await forget()
      await bench.clock.advance(3 * DAY)
      await bench.store.jobs.requeue(bench.clock.now())
    }
    expect(tried).toBe(1)
  })

  test('needs a record to be found, and a time of its own to be tried again', async () => {
    await page({ filename: 'setuptools-82.0-py3-none-any.whl', sha256: '9'.repeat(64), at: bench.clock.now() + DAY })
    await failed({})
    await failed({ requirements: 'old', plan: 7 }, { recipe: 'b' })
    await failed({ requirements: [{ filename: 5 }, null] }, { recipe: 'c' })
    await bench.wish({ recipe: 'd' })
    const run = await bench.claim()
    await bench.store.jobs.fail(run.build, { class: 'bad-sdist', key: 'x' }, { requirements: [USED] }, bench.clock.now())
    expect(await forget()).toBe(0)
  })

  test('is found among many', async () => {
    await page({ filename: 'setuptools-82.0-py3-none-any.whl', sha256: '9'.repeat(64), at: 1 })
    for (let n = 0; n < 203; n++) await failed(n < 2 ? { requirements: [USED] } : {}, { recipe: String(n) })
    expect(await forget()).toBe(2)
  })
})
