import { afterEach, beforeEach, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { createPlanner } from '../../src/services/planner.ts'
import { createPrebuilds, type Prebuilds } from '../../src/services/prebuilds.ts'
import { Prebuild } from '../../src/services/views.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const OTHER = 'cp312-musllinux_1_2_x86_64'

let bench: IndexBench
let prebuilds: Prebuilds
beforeEach(async () => {
  bench = await makeIndexBench()
  const readyTargets = async () => bench.builder.ready
  const planner = createPlanner({ ...bench, readyTargets, targets: [TARGET, OTHER], workers: 2 })
  prebuilds = createPrebuilds({ ...bench, planner, readyTargets, workers: 2 })
  for (const name of ['one', 'two', 'three']) bench.upstream.project(name, [file(`${name}-1.0.tar.gz`)])
  bench.upstream.project('pure', [file('pure-1.0-py3-none-any.whl')])
  bench.upstream.project('windows', [file('windows-1.0-cp313-cp313-win_amd64.whl')])
})
afterEach(() => bench.close())

const LOCK = { files: [{ name: 'requirements.txt', text: 'one==1.0\ntwo==1.0\npure==1.0\nwindows==1.0\n' }] }

async function states(id: number): Promise<Record<string, string>> {
  const now = await prebuilds.get(id)
  expect(Prebuild.parse(now)).toEqual(now)
  return Object.fromEntries(now.lines.map(({ project, state }) => [project, state]))
}

async function publish(build: { id: number; build: number; project: string; sdist: { sha256: string } }): Promise<void> {
  await bench.store.wheels.publish({
    sha256: sha256(build.project), filename: `${build.project}-1.0-1-${TARGET}.whl`, size: 3, project: build.project, version: '1.0', target: TARGET,
    sdist: build.sdist.sha256, number: 1, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0, build: build.build,
  }, { id: build.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
}

test('queues what would be built, once, and tells how far it is, by the jobs themselves', async () => {
  const made = await prebuilds.create(LOCK, 'admin')
  expect(made).toMatchObject({ name: 'requirements.txt', askedBy: 'admin', targets: [TARGET], total: 2, done: 0, failed: 0, finished: false, createdAt: '2026-11-21T12:00:00.000Z' })
  expect(await states(made.id)).toEqual({ one: 'queued', two: 'queued', pure: 'had', windows: 'cannot' })
  expect(await bench.store.jobs.list()).toMatchObject([{ project: 'two', priority: PRIORITY.prebuild, askedBy: 'admin', image: 'image-1' }, { project: 'one' }])
  const estimate = made.lines[0]!.estimateSeconds!
  expect(made.remainingSeconds, 'two at once').toBe(estimate)
  const run = await bench.claim()
  await bench.clock.advance(5_000)
  expect(await states(made.id)).toMatchObject({ one: 'running', two: 'queued' })
  expect((await prebuilds.get(made.id)).lines[0]).toMatchObject({ build: run.build, seconds: 5, job: run.id })
  await bench.clock.advance(5_000_000)
  expect((await prebuilds.get(made.id)).remainingSeconds, 'the late one ends any moment').toBe(estimate)
  await publish(run)
  expect(await prebuilds.get(made.id)).toMatchObject({ done: 1, failed: 0, finished: false })
  const second = await bench.claim()
  await bench.store.jobs.fail(second.build, { class: 'missing-header', key: 'ffi.h' }, undefined, bench.clock.now())
  expect(await states(made.id)).toEqual({ one: 'built', two: 'failed', pure: 'had', windows: 'cannot' })
  const now = await prebuilds.get(made.id)
  expect(now).toMatchObject({ done: 2, failed: 1, total: 2, finished: true, remainingSeconds: null })
  expect(now.lines[1]?.failure?.cause).toBe('needs header ffi.h')
  expect(await prebuilds.list(10)).toEqual([{ id: made.id, createdAt: '2026-11-21T12:00:00.000Z', name: 'requirements.txt', askedBy: 'admin' }])
})

test('joins the jobs that are there, and raises them; two files that pin the same share one', async () => {
  const early = await bench.wish({ project: 'one', sdist: { filename: 'one-1.0.tar.gz', sha256: sha256('one-1.0.tar.gz') }, priority: PRIORITY.background })
  const made = await prebuilds.create({ files: [{ name: 'requirements.txt', text: 'one==1.0\n' }, { name: 'requirements-test.txt', text: 'one==1.0\nthree==1.0\n' }] }, 'admin')
  expect(made).toMatchObject({ total: 2, name: 'requirements.txt, requirements-test.txt' })
  expect(made.lines.map(({ project, job }) => [project, job])).toEqual([['one', early.id], ['one', early.id], ['three', early.id + 1]])
  expect(await bench.store.jobs.get(early.id)).toMatchObject({ priority: PRIORITY.prebuild })
})

test('builds only what is named, and tries again what failed only where it is named', async () => {
  const first = await prebuilds.create({ ...LOCK, only: [{ project: 'One', version: '1', target: TARGET }] }, 'admin')
  expect(await states(first.id)).toEqual({ one: 'queued', two: 'left-out', pure: 'had', windows: 'cannot' })
  const run = await bench.claim()
  await bench.store.jobs.fail(run.build, { class: 'build-failed', key: 'code 1' }, undefined, bench.clock.now())
  const second = await prebuilds.create(LOCK, 'admin')
  expect(await states(second.id)).toEqual({ one: 'cannot', two: 'queued', pure: 'had', windows: 'cannot' })
  expect(await bench.store.jobs.get(run.id)).toMatchObject({ state: 'failed' })
  const third = await prebuilds.create({ ...LOCK, only: [{ project: 'one', version: '1.0', target: TARGET }] }, 'admin')
  expect(await states(third.id)).toEqual({ one: 'queued', two: 'left-out', pure: 'had', windows: 'cannot' })
  expect(third).toMatchObject({ total: 1, finished: false })
  expect(await bench.store.jobs.get(run.id)).toMatchObject({ state: 'queued', remembered: false })
  expect(await states(first.id), 'the first one waits for the same job').toMatchObject({ one: 'queued' })
})

test('a release whose metadata step failed is built all the same where it is named', async () => {
  await bench.wish({ kind: 'metadata', project: 'one', sdist: { filename: 'one-1.0.tar.gz', sha256: sha256('one-1.0.tar.gz') } })
  const run = await bench.claim()
  await bench.store.jobs.fail(run.build, { class: 'build-failed', key: 'code 1' }, undefined, bench.clock.now())
  expect((await prebuilds.create(LOCK, 'admin')).lines[0]?.state).toBe('cannot')
  const made = await prebuilds.create({ ...LOCK, only: [{ project: 'one', version: '1.0', target: TARGET }] }, 'admin')
  expect(made.lines[0]).toMatchObject({ state: 'queued' })
  expect(await bench.store.jobs.get(made.lines[0]!.job!)).toMatchObject({ kind: 'build' })
})

test('a prebuild of nothing is finished', async () => {
  expect(await prebuilds.create({ files: [{ name: 'requirements.txt', text: 'pure==1.0\n' }] }, 'admin')).toMatchObject({ total: 0, finished: true, remainingSeconds: null })
})

test('where one of its targets can be built for no more, nothing is made for the others either', async () => {
  const both = { ...bench.builder, ready: new Map([[TARGET, 'image-1'], [OTHER, 'image-2']]) }
  const planner = createPlanner({ ...bench, readyTargets: async () => both.ready, targets: [TARGET, OTHER], workers: 2 })
  const half = createPrebuilds({ ...bench, planner, readyTargets: async () => new Map([[TARGET, 'image-1']]), workers: 2 })
  await expect(half.create(LOCK, 'admin')).rejects.toEqual(expect.objectContaining({ code: 'no-builder', detail: expect.stringContaining(OTHER) }))
  expect(await bench.store.jobs.list()).toEqual([])
})

test('what cannot be is refused, and leaves nothing behind', async () => {
  const code = (expected: string) => expect.objectContaining({ code: expected })
  await expect(prebuilds.create({ ...LOCK, only: [{ project: 'four', version: '1.0', target: TARGET }] }, 'admin')).rejects.toEqual(code('bad-request'))
  await expect(prebuilds.create({ files: [{ name: 'requirements.txt', text: 'one\n' }] }, 'admin')).rejects.toEqual(code('bad-lock'))
  await expect(prebuilds.create({ ...LOCK, targets: ['cp399-musllinux_1_2_x86_64'] }, 'admin')).rejects.toEqual(code('unknown-target'))
  const planner = createPlanner({ ...bench, readyTargets: async () => bench.builder.ready, targets: [TARGET], workers: 2 })
  const gone = createPrebuilds({ ...bench, planner, readyTargets: async () => new Map(), workers: 2 })
  await expect(gone.create(LOCK, 'admin')).rejects.toEqual(code('no-builder'))
  await expect(prebuilds.get(1)).rejects.toEqual(code('no-such-prebuild'))
  expect(await bench.store.jobs.list()).toEqual([])
  expect(await prebuilds.list(10)).toEqual([])
})
