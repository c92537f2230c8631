import { afterEach, beforeEach, expect, test } from 'vitest'
import { createJobViews, type JobViews } from '../../src/services/job-views.ts'
import { BuildView, JobView } from '../../src/services/views.ts'
import { type Bench, makeBench, TARGET, wishFor } from './bench.ts'

let bench: Bench
let views: JobViews
beforeEach(async () => {
  bench = await makeBench()
  views = createJobViews({ ...bench, workers: 2 })
})
afterEach(() => bench.close())

const WHEEL = {
  sha256: 'f'.repeat(64), filename: 'demo-1.0+x-1-py3-none-any.whl', size: 3, project: 'demo', version: '1.0', target: TARGET, sdist: 'a'.repeat(64),
  number: 1, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0,
}

async function publish(record: Record<string, unknown>, wheel: Partial<typeof WHEEL> = {}): Promise<number> {
  const run = await bench.claim()
  await bench.clock.advance(30_000)
  await bench.store.wheels.publish({ ...WHEEL, ...wheel, build: run.build }, { id: run.id, worker: 'me', metadataChanged: false }, record, bench.clock.now())
  return run.build
}

test('a queued job: what goes before it, and how long such builds take', async () => {
  await bench.wish()
  await publish({})
  await bench.wish({ project: 'first', sdist: { sha256: 'b'.repeat(64), filename: 'first-1.tar.gz' } })
  const second = await bench.wish({ version: '2.0', sdist: { sha256: 'c'.repeat(64), filename: 'demo-2.0.tar.gz' } })
  const view = await views.get(second.id)
  expect(JobView.parse(view)).toEqual(view)
  expect(view).toMatchObject({
    id: second.id, state: 'queued', priority: 'waiting', ahead: 1, estimateSeconds: 30, seconds: null, build: null, step: null, startedAt: null, wheel: null,
    createdAt: '2026-11-21T12:00:30.000Z', sdist: { filename: 'demo-2.0.tar.gz', sha256: 'c'.repeat(64) },
  })
})

test('what is left of it: its turn and the median of the builds for its target; nothing that is over', async () => {
  const sdists = ['1', '2', '3', '4'].map((n) => ({ sha256: n.repeat(64), filename: `demo-${n}.0.tar.gz` }))
  await bench.wish({ sdist: sdists[0]! })
  await publish({})
  await bench.store.workers.beat('w1', {}, bench.clock.now())
  const [first, second, third] = [await bench.wish({ sdist: sdists[1]! }), await bench.wish({ sdist: sdists[2]! }), await bench.wish({ sdist: sdists[3]! })]
  const left = async () => Promise.all([first, second, third].map(async ({ id }) => (await views.get(id)).remainingSeconds))
  expect(await left()).toEqual([30, 30, 60])
  await bench.claim()
  await bench.clock.advance(10_000)
  expect(await left(), 'one runs, of two at once').toEqual([20, 30, 50])
  await bench.clock.advance(25_000)
  expect(await left(), 'the first outlasts what was expected').toEqual([null, 30, 31])
  const elsewhere = await bench.wish({ target: 'cp312-musllinux_1_2_x86_64', project: 'other', sdist: { sha256: '5'.repeat(64), filename: 'other-1.tar.gz' } })
  expect((await views.get(elsewhere.id)).remainingSeconds).toBeNull()
})

test('a running job: its step, and the time so far', async () => {
  const job = await bench.wish()
  const { build } = await bench.claim()
  await bench.store.jobs.step(build, 'plan', bench.clock.now())
  await bench.clock.advance(2_000)
  await bench.store.jobs.step(build, 'fetch', bench.clock.now())
  await bench.clock.advance(5_000)
  expect(await views.get(job.id)).toMatchObject({ state: 'running', step: 'fetch', seconds: 7, build, ahead: null, attempts: 1 })
  const view = await views.build(build)
  expect(BuildView.parse(view)).toEqual(view)
  expect(view).toMatchObject({ id: build, job: job.id, worker: 'me', finishedAt: null, record: null })
  expect(view.steps.map(({ step, state, seconds }) => [step, state, seconds])).toEqual([
    ['plan', 'done', 2], ['fetch', 'running', 5], ['metadata', 'waiting', null], ['build', 'waiting', null],
    ['repair', 'waiting', null], ['verify', 'waiting', null], ['try', 'waiting', null], ['publish', 'waiting', null],
  ])
})

test('a failed job: cause and remedy, when it is tried again, and the step that failed', async () => {
  const job = await bench.wish()
  const { build } = await bench.claim()
  await bench.store.jobs.step(build, 'plan', bench.clock.now())
  await bench.store.jobs.step(build, 'build', bench.clock.now())
  await bench.clock.advance(1_000)
  await bench.store.jobs.fail(build, { class: 'missing-header', key: 'ffi.h' }, { steps: [{ step: 'build', seconds: 1, peakBytes: 5_000 }] }, bench.clock.now(), bench.clock.now() + 60_000)
  const view = await views.get(job.id)
  expect(JobView.parse(view)).toEqual(view)
  expect(view).toMatchObject({
    state: 'failed', seconds: 1, retryAt: '2026-11-21T12:01:01.000Z', finishedAt: '2026-11-21T12:00:01.000Z',
    failure: { class: 'missing-header', cause: 'needs header ffi.h', remedy: expect.stringContaining('builder image') },
  })
  const run = await views.build(build)
  expect(run.failure?.cause).toBe('needs header ffi.h')
  expect(run.steps.filter(({ state }) => state !== 'waiting')).toEqual([
    { step: 'plan', state: 'done', seconds: 0, peakBytes: null }, { step: 'fetch', state: 'done', seconds: null, peakBytes: null },
    { step: 'metadata', state: 'done', seconds: null, peakBytes: null }, { step: 'build', state: 'failed', seconds: 1, peakBytes: 5_000 },
  ])
})

test('a built job: its wheel, and whether it was tried', async () => {
  const job = await bench.wish()
  const build = await publish({ try: { modules: 2 }, steps: [] })
  expect(await views.get(job.id)).toMatchObject({
    state: 'built', failure: null, retryAt: null,
    wheel: { filename: WHEEL.filename, sha256: WHEEL.sha256, size: 3, url: `files/${WHEEL.sha256}/demo-1.0%2Bx-1-py3-none-any.whl`, tried: true },
  })
  expect((await views.build(build)).steps.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => 'done'))
  await bench.wish({ version: '2.0', sdist: { sha256: 'c'.repeat(64), filename: 'demo-2.0.tar.gz' } })
  await publish({ try: { notTried: 'no musl Python 3.13 at hand' } }, { version: '2.0', filename: 'demo-2.0-1-py3-none-any.whl', sha256: 'd'.repeat(64), sdist: 'c'.repeat(64) })
  expect((await views.jobs({ state: 'built', limit: 1 }))[0]).toMatchObject({ version: '2.0', wheel: { tried: false } })
})

test('a job that found its wheel built by another names that', async () => {
  await bench.wish()
  await publish({ try: {} })
  const another = await bench.wish({ image: 'image-2' })
  const run = await bench.store.jobs.claim('me', { kinds: ['build'], targets: { [TARGET]: 'image-2' } }, bench.clock.now(), bench.clock.now() + 1_000)
  await bench.store.jobs.done(run!.build, {}, bench.clock.now())
  expect(await views.get(another.id)).toMatchObject({ state: 'built', wheel: { sha256: WHEEL.sha256, tried: true } })
})

test('a metadata job has three steps, a trial all but the last', async () => {
  await bench.wish({ kind: 'metadata' })
  expect((await views.build((await bench.claim()).build)).steps.map(({ step }) => step)).toEqual(['plan', 'fetch', 'metadata'])
  const trial = await bench.wish({ kind: 'trial', sdist: { sha256: 'b'.repeat(64), filename: 'demo-1.zip' } })
  expect((await views.build((await bench.claim()).build)).steps.at(-1)?.step).toBe('try')
  expect((await views.get(trial.id)).kind).toBe('trial')
})

test('lists are filtered, and go on before a number', async () => {
  for (let n = 1; n <= 5; n++) await bench.wish(wishFor({ project: n % 2 ? 'odd' : 'even', sdist: { sha256: `${n}`.repeat(64), filename: `x-${n}.tar.gz` } }))
  expect((await views.jobs({ limit: 2 })).map(({ id }) => id)).toEqual([5, 4])
  expect((await views.jobs({ limit: 2, before: 4 })).map(({ id }) => id)).toEqual([3, 2])
  expect((await views.jobs({ project: 'even' })).map(({ id }) => id)).toEqual([4, 2])
  expect(await views.jobs({ state: 'running' })).toEqual([])
})

test('a list reads the queue once, however many of its jobs wait', async () => {
  for (let n = 1; n <= 5; n++) await bench.wish(wishFor({ sdist: { sha256: `${n}`.repeat(64), filename: `x-${n}.tar.gz` } }))
  const asked: number[][] = []
  const jobs = { ...bench.store.jobs, ahead: (ids: number[]) => { asked.push(ids); return bench.store.jobs.ahead(ids) } }
  const listed = await createJobViews({ ...bench, workers: 2, store: { ...bench.store, jobs } }).jobs()
  expect(listed.map(({ ahead }) => ahead)).toEqual([4, 3, 2, 1, 0])
  expect(asked).toEqual([[5, 4, 3, 2, 1]])
})

test('unknown numbers are refused', async () => {
  await expect(views.get(9)).rejects.toEqual(expect.objectContaining({ code: 'no-such-job' }))
  await expect(views.build(9)).rejects.toEqual(expect.objectContaining({ code: 'no-such-build' }))
})

test('a queued build tells when it is expected to begin, and what it waits for', async () => {
  const wish = (n: number) => bench.wish({ project: `p${n}`, sdist: { sha256: String(n).repeat(64), filename: `p${n}-1.0.tar.gz` } })
  const first = await wish(1)
  expect((await views.get(first.id)).startsInSeconds, 'nobody builds').toBeNull()
  await bench.store.workers.beat('w1', {}, bench.clock.now())
  expect((await views.get(first.id)).startsInSeconds).toBe(0)
  const run = await bench.claim()
  await bench.clock.advance(4_000)
  const needed = { requirement: 'p2>=1', wish: wishFor({ project: 'p2', sdist: { sha256: '2'.repeat(64), filename: 'p2-1.0.tar.gz' } }) }
  await bench.store.jobs.waitFor(run.build, { needs: [needed], failure: { class: 'build-failed', key: '' }, record: undefined }, bench.clock.now())
  const second = await bench.claim()
  await bench.clock.advance(4_000)
  // A project that nobody knows takes 24 seconds.
  expect(await views.get(first.id)).toMatchObject({ startsInSeconds: 20, waitsFor: [{ job: second.id, project: 'p2', version: '1.0', requirement: 'p2>=1' }] })
  for (const n of [3, 4]) await wish(n)
  expect((await views.jobs({ state: 'queued' })).map(({ project, startsInSeconds }) => [project, startsInSeconds])).toEqual([['p4', 24], ['p3', 0], ['p1', 20]])
  await bench.clock.advance(60_001)
  expect((await views.get(first.id)).startsInSeconds, 'the worker is silent').toBeNull()
})
