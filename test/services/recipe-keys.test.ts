/** The recipe's digest is a part of every job's key, and what a recipe skips is promised by nobody. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { type Failure } from '../../src/domain/failure.ts'
import type { ProjectPage } from '../../src/domain/page.ts'
import type { Recipe, RecipeLayer } from '../../src/domain/recipe.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { createAdmission, type Asker } from '../../src/services/admission.ts'
import { createMatrix } from '../../src/services/matrix.ts'
import { createOrders } from '../../src/services/orders.ts'
import { createPlanner } from '../../src/services/planner.ts'
import { createPrebuilds } from '../../src/services/prebuilds.ts'
import { promisesOn } from '../../src/services/promise-list.ts'
import { createPromises, type Promised } from '../../src/services/promises.ts'
import { createWishes } from '../../src/services/wishes.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { AGENTS } from '../http/rig.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const OTHER = 'cp312-musllinux_1_2_x86_64'
const target = parseTarget(TARGET)!
const SDIST = { sha256: sha256('demo-1.0.tar.gz'), filename: 'demo-1.0.tar.gz' }
const PROMISED: Promised = { project: 'demo', version: '1.0', target, number: 1, filename: `demo-1.0-1-cp313-${TARGET}.whl`, sdist: SDIST }
const MISSING: Failure = { class: 'missing-header', key: 'ffi.h' }
const asker: Asker = { client: parseUserAgent(AGENTS.pip), address: '10.0.0.1', admin: false, host: 'localhost:8080', site: undefined }

let bench: IndexBench
beforeEach(async () => {
  bench = await makeIndexBench()
  bench.builder.ready = new Map([[TARGET, 'image-1'], [OTHER, 'image-2']])
  bench.upstream.project('demo', [file('demo-1.0.tar.gz'), file('demo-2.0.tar.gz')])
  await bench.upstreamPages.refresh('demo')
})
afterEach(() => bench.close())

const readyTargets = async () => bench.builder.ready
const deps = () => ({ ...bench, readyTargets, targets: [TARGET, OTHER], workers: 2 })
const orders = () => createOrders(deps())
const wishes = () => createWishes({ ...deps(), jobs: bench.store.jobs, admission: createAdmission({ clock: bench.clock, hosts: [], buildsPerClient: 100, metadataPerClient: 1000, aheadPerClient: 20, queueLimit: 500 }), hindrance: bench.hindrance })
const set = (recipe: Partial<Recipe>, more: Partial<RecipeLayer> = {}) => bench.recipes.set({ project: 'demo', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe, ...more })
const digest = async (version = '1.0', name = TARGET) => (await bench.recipes.forProject('demo'))(version, name).digest

async function promised(): Promise<string[]> {
  const { page } = (await bench.upstreamPages.read('demo')) as { page: ProjectPage }
  return promisesOn(page, 'demo', [], await createPromises(bench).terms('demo', target, 'image-1')).map(({ filename }) => filename.split('-')[1] ?? '')
}

async function fail(recipe: string): Promise<number> {
  const { id } = await bench.wish({ sdist: SDIST, recipe })
  await bench.store.jobs.fail((await bench.claim()).build, MISSING, undefined, bench.clock.now())
  return id
}

test('a failure is remembered under its recipe: another one, and the release is promised again', async () => {
  await fail('')
  expect(await promised()).toEqual(['2.0'])
  const { id } = await set({ apks: ['libffi-dev'] }, { versions: '<2' })
  expect(await promised()).toEqual(['1.0', '2.0'])
  await fail(await digest())
  expect(await promised()).toEqual(['2.0'])
  await bench.recipes.remove(id)
  expect(await promised(), 'what failed without it is still known').toEqual(['2.0'])
})

test('wishes, orders and prebuilds make jobs of the recipe of today, each release and target its own', async () => {
  await set({ apks: ['zlib-dev'] }, { versions: '<2', targets: ['cp313-*'] })
  const wanted = await digest()
  expect(wanted).not.toBe('')
  expect((await wishes().now('build', PROMISED, asker)).recipe).toBe(wanted)
  expect((await wishes().now('metadata', PROMISED, asker)).recipe).toBe(wanted)
  expect((await orders().build({ project: 'demo', version: '1.0' }, 'admin')).map((job) => [job.target, job.recipe])).toEqual([[TARGET, wanted], [OTHER, '']])
  expect((await orders().build({ project: 'demo', publish: false, version: '1.0', targets: [TARGET] }, 'admin'))[0]).toMatchObject({ kind: 'trial', recipe: wanted })
  const planner = createPlanner(deps())
  const prebuild = await createPrebuilds({ ...deps(), planner }).create({ files: [{ name: 'requirements.txt', text: 'demo==1.0\ndemo==2.0\n' }], targets: [TARGET] }, 'admin')
  const made = await Promise.all(prebuild.lines.map(async ({ job }) => (await bench.job(job!)).recipe))
  expect(made).toEqual([wanted, ''])
  expect(prebuild.lines[0]?.job).toBe((await wishes().find('build', PROMISED))?.id)
})

test('whoever waits while the recipe changes goes on waiting for the run that there is', async () => {
  const first = await wishes().now('build', PROMISED, asker)
  await bench.claim()
  await set({ apks: ['zlib-dev'] })
  expect(await wishes().now('build', PROMISED, asker)).toMatchObject({ id: first.id, state: 'running' })
  expect(await wishes().find('build', PROMISED)).toMatchObject({ id: first.id })
  await wishes().ahead(PROMISED, asker)
  expect(await bench.store.jobs.list()).toHaveLength(1)
  await bench.store.jobs.fail((await bench.job(first.id)).build!, MISSING, undefined, bench.clock.now())
  const anew = await wishes().now('build', PROMISED, asker)
  expect([anew.id === first.id, anew.recipe]).toEqual([false, await digest()])
})

test('a plan and the matrix tell failures of the recipe of today alone', async () => {
  const id = await fail('')
  const plan = async () => (await createPlanner(deps()).plan({ files: [{ name: 'requirements.txt', text: 'demo==1.0\n' }], targets: [TARGET] })).lines[0]
  const cell = async () => (await createMatrix(deps()).project('demo')).releases.find(({ version }) => version === '1.0')?.cells[TARGET]
  expect([(await plan())?.verdict, (await plan())?.job, (await cell())?.verdict]).toEqual(['cannot', id, 'failed'])
  await set({ apks: ['libffi-dev'] })
  expect([(await plan())?.verdict, (await plan())?.job, (await cell())?.verdict]).toEqual(['would-build', null, 'could-build'])
})

test('a plan tells which apks its users need: of a wheel what it wants of its system, of every one what its recipe names', async () => {
  bench.upstream.project('pure', [file('pure-1.0-py3-none-any.whl')])
  await set({ runtimeApks: ['tzdata', 'libffi'] })
  await set({ runtimeApks: ['libmagic'] }, { project: 'pure' })
  const job = await bench.wish({ sdist: SDIST })
  const run = await bench.claim()
  await bench.store.wheels.publish({
    sha256: 'f'.repeat(64), filename: PROMISED.filename, size: 3, project: 'demo', version: '1.0', target: TARGET, sdist: SDIST.sha256, number: 1, metadata: 'e'.repeat(64),
    requiresPython: undefined, publishedAt: 0, build: run.build, system: { repositories: [], arch: 'x86_64', bundled: [], runtime: ['libffi', 'zlib'] },
  }, { id: job.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
  const { lines } = await createPlanner(deps()).plan({ files: [{ name: 'requirements.txt', text: 'demo==1.0\ndemo==2.0\npure==1.0\nnothing==1\n' }], targets: [TARGET] })
  expect(lines.map(({ verdict, runtimeApks }) => [verdict, runtimeApks])).toEqual([
    ['built', ['libffi', 'zlib', 'tzdata']], ['would-build', ['tzdata', 'libffi']], ['upstream-wheel', ['libmagic']], ['cannot', []],
  ])
})

describe('what a recipe skips', () => {
  beforeEach(() => set({ skip: 'its client is for glibc alone' }, { versions: '<2' }))

  test('is not promised', async () => {
    expect(await promised()).toEqual(['2.0'])
  })

  test('is not begun for whoever has its promise from before, nor for one who orders it', async () => {
    await expect(wishes().now('build', PROMISED, asker)).rejects.toMatchObject({ code: 'not-built-here', detail: 'demo 1.0 is not built here: its client is for glibc alone' })
    await wishes().ahead(PROMISED, asker)
    await expect(orders().build({ project: 'demo', version: '1.0' }, 'admin')).rejects.toMatchObject({ code: 'not-built-here' })
    expect(await bench.store.jobs.list()).toEqual([])
  })

  test('for one target is built for the others, unless that one is asked for', async () => {
    await set({ skip: 'no' }, { versions: '>=2', targets: ['cp312-*'] })
    expect((await orders().build({ project: 'demo' }, 'admin')).map((job) => job.target)).toEqual([TARGET])
    await expect(orders().build({ project: 'demo', targets: [TARGET, OTHER] }, 'admin')).rejects.toMatchObject({ code: 'not-built-here' })
  })

  test('cannot be had by a plan, unless there is a wheel of it, and a prebuild leaves it', async () => {
    const request = { files: [{ name: 'requirements.txt', text: 'demo==1.0\n' }], targets: [TARGET] }
    const planner = createPlanner(deps())
    expect((await planner.plan(request)).lines).toMatchObject([{ verdict: 'cannot', why: expect.stringContaining('its client is for glibc alone'), remedy: expect.stringContaining('empty skip') }])
    expect(await createPrebuilds({ ...deps(), planner }).create(request, 'admin')).toMatchObject({ total: 0, lines: [{ state: 'cannot' }] })
    await set({ skip: '' }, { versions: '<2', targets: ['cp313-*'] })
    expect((await planner.plan(request)).lines).toMatchObject([{ verdict: 'would-build' }])
    bench.upstream.project('demo', [file('demo-1.0.tar.gz'), file(`demo-1.0-cp313-${TARGET}.whl`)])
    await bench.clock.advance(3_600_000)
    expect((await planner.plan({ ...request, targets: [TARGET] })).lines).toMatchObject([{ verdict: 'upstream-wheel' }])
  })

  test('is shown in the matrix with the reason', async () => {
    const { releases } = await createMatrix(deps()).project('demo')
    expect(releases.map(({ version, cells }) => [version, cells[TARGET]?.verdict, cells[TARGET]?.why])).toEqual([['2.0', 'could-build', null], ['1.0', 'skipped', 'its client is for glibc alone']])
  })
})

describe('apks that are added to a failed job', () => {
  test('make another job of the same sdist, and of the same one where they were there already', async () => {
    const id = await fail('')
    const anew = await orders().addApks(id, ['libffi-dev'], 'admin')
    expect(anew).toMatchObject({ kind: 'build', sdist: SDIST, target: TARGET, state: 'queued', recipe: await digest(), askedBy: 'admin' })
    expect(anew.id).not.toBe(id)
    await bench.store.jobs.fail((await bench.claim()).build, MISSING, undefined, bench.clock.now())
    expect(await orders().addApks(anew.id, ['libffi-dev'], 'admin')).toMatchObject({ id: anew.id, state: 'queued', failure: undefined })
    await expect(orders().addApks(anew.id, ['x'], 'admin')).rejects.toMatchObject({ code: 'not-possible-now' })
  })

  test('of a release that is skipped are refused, and the recipe stays as it is', async () => {
    const id = await fail('')
    await set({ skip: 'its client is for glibc alone' }, { versions: '<2' })
    const before = await bench.recipes.list()
    await expect(orders().addApks(id, ['libffi-dev'], 'admin')).rejects.toMatchObject({ code: 'not-built-here' })
    expect(await bench.recipes.list()).toEqual(before)
    expect(await bench.store.jobs.list()).toHaveLength(1)
  })

  test('of a metadata job have its wheel built', async () => {
    const { id } = await bench.wish({ kind: 'metadata', sdist: SDIST })
    await bench.store.jobs.fail((await bench.claim()).build, MISSING, undefined, bench.clock.now())
    expect(await orders().addApks(id, ['libffi-dev'], 'admin')).toMatchObject({ kind: 'build' })
  })
})
