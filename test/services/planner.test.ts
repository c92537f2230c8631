import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { MuslinError } from '../../src/errors.ts'
import { createPlanner, type Planner } from '../../src/services/planner.ts'
import { createUpstreamPages } from '../../src/services/upstream-pages.ts'
import { Plan, type PlanRequest } from '../../src/services/views.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { sha256, syntheticUpstream, type SyntheticFile, type SyntheticUpstream } from '../synthetic-upstream.ts'
import { makeBench, TARGET, type Bench } from './bench.ts'

const OTHER = 'cp311-musllinux_1_2_x86_64'
const log = pino({ level: 'silent' })
const file = (filename: string, keys: Record<string, unknown> = {}): SyntheticFile => ({ filename, bytes: Buffer.from(filename), keys })

let bench: Bench
let upstream: SyntheticUpstream
let planner: Planner
let ready: Map<string, string>
let close: () => Promise<void>

beforeEach(async () => {
  bench = await makeBench()
  upstream = await syntheticUpstream()
  upstream.project('pure', [file('pure-1.0.tar.gz'), file('pure-1.0-py3-none-any.whl')])
  upstream.project('demo', [file('demo-1.0.tar.gz', { size: 2_000_000 }), file('demo-2.0.tar.gz')])
  upstream.project('wheels', [file('wheels-1.0-cp313-cp313-manylinux_2_17_x86_64.whl')])
  ready = new Map([[TARGET, 'image-1']])
  const port = createUpstream({ url: upstream.url, ca: [], instance: 'x', log, clock: bench.clock })
  planner = createPlanner({
    ...bench, upstreamPages: createUpstreamPages({ store: bench.store, upstream: port, clock: bench.clock, log, freshness: 600 }),
    readyTargets: async () => ready, targets: [TARGET, OTHER], workers: 2,
  })
  close = async () => {
    await port.close()
    await upstream.close()
    await bench.close()
  }
})
afterEach(() => close())

const plan = (text: string, more: Partial<PlanRequest> = {}) => planner.plan({ files: [{ name: 'requirements.txt', text }], ...more })
const demo = (version: string) => ({ sha256: sha256(`demo-${version}.tar.gz`), filename: `demo-${version}.tar.gz` })

test('a line for each release and target, in the order of the file, as the schema has it', async () => {
  const planned = await plan('pure==1.0\ndemo==1.0\n\nwheels==1.0\nnothing==1.0', { targets: [TARGET, OTHER] })
  expect(Plan.parse(planned)).toEqual(planned)
  expect(planned.files).toEqual([{ name: 'requirements.txt', kind: 'requirements', pins: 4 }])
  expect(planned.lines.filter(({ target }) => target === TARGET)).toEqual([
    expect.objectContaining({ project: 'pure', version: '1.0', line: 1, file: 'requirements.txt', verdict: 'upstream-wheel', filename: 'pure-1.0-py3-none-any.whl', sdist: null, estimateSeconds: null, why: null }),
    expect.objectContaining({ project: 'demo', line: 2, verdict: 'would-build', filename: `demo-1.0-1-cp313-${TARGET}.whl`, sdist: { filename: 'demo-1.0.tar.gz', sha256: sha256('demo-1.0.tar.gz') }, estimateSeconds: 51, job: null }),
    expect.objectContaining({ project: 'wheels', line: 4, verdict: 'cannot', filename: null, why: expect.stringContaining('no sdist') }),
    expect.objectContaining({ project: 'nothing', verdict: 'cannot', why: expect.stringContaining('no such project') }),
  ])
  expect(planned.lines.find(({ target, project }) => target === OTHER && project === 'demo')).toMatchObject({ verdict: 'cannot', why: expect.stringContaining('no builder') })
  expect(planned.totals).toEqual({ upstreamWheel: 2, built: 0, wouldBuild: 1, cannot: 5, estimateSeconds: 51 })
  expect(await bench.store.jobs.list()).toEqual([])
})

test('a page is asked for once, however many lines and files it is for', async () => {
  const text = 'demo==1.0\npure==1.0'
  await planner.plan({ files: [{ name: 'a.txt', text }, { name: 'b.txt', text }], targets: [TARGET, OTHER] })
  await plan(text)
  expect(upstream.requests.toSorted()).toEqual(['GET /simple/demo/', 'GET /simple/pure/'])
})

test('what two files pin counts once', async () => {
  const planned = await planner.plan({ files: [{ name: 'a.txt', text: 'demo==1.0' }, { name: 'b.txt', text: 'demo==1\ndemo==2.0' }] })
  expect(planned.lines.map(({ file, version }) => `${file} ${version}`)).toEqual(['a.txt 1.0', 'b.txt 1', 'b.txt 2.0'])
  expect(planned.totals.wouldBuild).toBe(2)
})

describe('the targets', () => {
  test('are by default those that can be built for, else the configured ones', async () => {
    expect((await plan('demo==1.0')).targets).toEqual([TARGET])
    ready.clear()
    expect((await plan('demo==1.0', { targets: [] })).targets).toEqual([TARGET, OTHER])
  })
  test('must be known', async () => {
    await expect(plan('demo==1.0', { targets: ['cp39-musllinux_1_2_x86_64'] })).rejects.toMatchObject({ code: 'unknown-target', detail: expect.stringContaining(OTHER) })
  })
})

describe('what our tables know', () => {
  const build = async (version: string, seconds: number) => {
    await bench.wish({ version, sdist: demo(version) })
    const claimed = await bench.claim()
    await bench.clock.advance(seconds * 1000)
    return claimed
  }
  const publish = async (version: string, seconds: number) => {
    const claimed = await build(version, seconds)
    const filename = `demo-${version}-1-cp313-${TARGET}.whl`
    const wheel = { project: 'demo', build: claimed.build, sha256: sha256(filename), filename, size: 1, version, target: TARGET, sdist: demo(version).sha256, number: 1, metadata: sha256('m'), requiresPython: undefined, publishedAt: bench.clock.now() }
    await bench.store.wheels.publish(wheel, { id: claimed.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
    return claimed
  }

  test('a wheel of ours, with its job and without an upstream', async () => {
    const { id } = await publish('1.0', 20)
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'built', filename: `demo-1.0-1-cp313-${TARGET}.whl`, sdist: { filename: 'demo-1.0.tar.gz' }, job: id }])
    upstream.break(503)
    await bench.clock.advance(3_600_000)
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'built' }])
  })
  test('earlier builds of the project tell how long it takes', async () => {
    await publish('1.0', 200)
    expect((await plan('demo==2.0')).lines).toMatchObject([{ verdict: 'would-build', estimateSeconds: 200 }])
  })
  test('the job that is under way', async () => {
    const { id } = await bench.wish({ sdist: demo('1.0') })
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'would-build', job: id }])
  })
  test('a failure that is remembered, until the image is another', async () => {
    const { id, build: run } = await build('1.0', 1)
    await bench.store.jobs.fail(run, { class: 'missing-header', key: 'ffi.h' }, undefined, bench.clock.now())
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'cannot', why: 'needs header ffi.h', remedy: expect.stringContaining('-dev'), job: id, sdist: { filename: 'demo-1.0.tar.gz' } }])
    ready.set(TARGET, 'image-2')
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'would-build', job: null }])
  })
  test('a trial says nothing', async () => {
    await bench.store.jobs.wish({ kind: 'trial', project: 'demo', version: '1.0', sdist: demo('1.0'), target: TARGET, recipe: '', image: 'image-1', priority: PRIORITY.asked, askedBy: 'x' }, bench.clock.now())
    expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'would-build', job: null }])
  })
})

test('an upstream that cannot be asked is named on the line', async () => {
  upstream.break(503)
  expect((await plan('demo==1.0')).lines).toMatchObject([{ verdict: 'cannot', why: expect.stringContaining('the upstream refused the request: '), remedy: expect.any(String) }])
})

test('a lock that is not for the target says so, and nothing is asked', async () => {
  const text = 'lock-version = "1.0"\nrequires-python = "<3.13"\n[[packages]]\nname = "demo"\nversion = "1.0"\nsdist = { url = "https://upstream.example/demo-1.0.tar.gz" }\n'
  const planned = await planner.plan({ files: [{ name: 'pylock.toml', text }] })
  expect(planned.lines).toMatchObject([{ verdict: 'cannot', why: `the lock refuses ${TARGET}: it is for Python <3.13, not for 3.13`, line: 3 }])
  expect(upstream.requests).toEqual([])
})

test('all files are read before one is complained of', async () => {
  const files = [{ name: 'a.txt', text: 'x' }, { name: 'b.txt', text: 'demo==1.0' }, { name: 'c.txt', text: 'y' }]
  const failure: unknown = await planner.plan({ files }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(MuslinError)
  expect(failure).toMatchObject({ code: 'bad-lock', detail: expect.stringMatching(/^a\.txt: line 1: .*; c\.txt: line 1: /) })
})

test('a file of the same name in another folder may be included too', async () => {
  const planned = await planner.plan({ files: [{ name: 'b/requirements.txt', text: '-r ../a/requirements.txt' }, { name: 'a/requirements.txt', text: 'demo==1.0' }] })
  expect(planned.lines.map(({ file, project }) => `${file} ${project}`)).toEqual(['a/requirements.txt demo'])
  const uploaded = await planner.plan({ files: [{ name: 'requirements.txt', text: '-r ../a/requirements.txt' }, { name: 'requirements.txt', text: 'demo==1.0' }] })
  expect(uploaded.lines).toHaveLength(1)
})

test('a file that another includes may be given beside it', async () => {
  const planned = await planner.plan({ files: [{ name: 'a.txt', text: '-r b.txt' }, { name: 'b.txt', text: 'demo==1.0' }] })
  expect(planned.lines).toMatchObject([{ file: 'b.txt', project: 'demo' }])
})

test('more lines than anybody reads are refused', async () => {
  await expect(plan(Array.from({ length: 20_001 }, (_, i) => `p${i}==1`).join('\n'))).rejects.toMatchObject({ code: 'too-large' })
})
