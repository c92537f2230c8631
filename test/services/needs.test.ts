import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFindNeeds, type FindNeeds } from '../../src/services/needs.ts'
import { createUpstreamPages } from '../../src/services/upstream-pages.ts'
import type { Job } from '../../src/domain/job.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { logText } from '../log-text.ts'
import { syntheticUpstream, type SyntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, built, makeBench, silent, TARGET } from './bench.ts'

const never = new AbortController().signal
const MISSING = { class: 'build-requirement-unbuildable', key: 'numpy>=2' } as const

let bench: Bench
let index: SyntheticUpstream
let find: FindNeeds
let close: () => Promise<void>
beforeEach(async () => {
  bench = await makeBench()
  index = await syntheticUpstream()
  const upstream = createUpstream({ url: index.url, instance: 'i', log: silent, clock: bench.clock })
  close = async () => { await upstream.close() }
  const upstreamPages = createUpstreamPages({ store: bench.store, upstream, clock: bench.clock, log: silent, freshness: 60 })
  find = createFindNeeds({ upstreamPages, recipes: bench.recipes })
})
afterEach(async () => {
  await close()
  await index.close()
  await bench.close()
})

function releases(project: string, ...versions: string[]): void {
  index.project(project, versions.map((version) => ({ filename: `${project}-${version}.tar.gz`, bytes: Buffer.from(`${project} ${version}`) })))
}

const JOB = { target: TARGET, image: 'image-1' }

describe('what is built for requirements without a wheel', () => {
  test('the newest release that satisfies each, as a build for the same target by the recipe of its own', async () => {
    releases('numpy', '1.26.4', '2.3.5', '3.0')
    releases('meson-python', '0.18')
    await bench.recipes.set({ project: 'numpy', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe: { apks: ['openblas-dev'] } })
    const { digest } = (await bench.recipes.forProject('numpy'))('2.3.5', TARGET)
    const needs = await find(JOB, ['NumPy>=2 ; python_version > "3"', 'meson_python'], ['numpy<3', 'cython<3'])
    expect(needs).toMatchObject([
      { requirement: 'NumPy>=2', wish: { kind: 'build', project: 'numpy', version: '2.3.5', sdist: { filename: 'numpy-2.3.5.tar.gz' }, target: TARGET, recipe: digest, image: 'image-1' } },
      { requirement: 'meson_python', wish: { project: 'meson-python', version: '0.18' } },
    ])
    expect(digest).not.toBe('')
  })

  test.each([['numpy>=9', 'numpy>=9'], ['absent', 'absent'], ['numpy @ https://upstream.example/x.zip', 'numpy @ https://upstream.example/x.zip'], ['-r x', '-r x']])(
    '%s: there is nothing to build', async (requirement, key) => {
      releases('numpy', '1.26.4')
      expect(await find(JOB, [requirement], [])).toEqual({ failure: { class: 'build-requirement-unbuildable', key } })
    })
})

describe('a run that finds requirements missing', () => {
  async function run(): Promise<Job> {
    const job = await bench.claim()
    await bench.runner({ findNeeds: find })(job, 'me', never, never)
    return bench.job(job.id)
  }

  test('waits for them, and is built after them', async () => {
    releases('numpy', '2.3.5')
    let there = false
    bench.builder.play = async (work) => {
      if (work.job.project === 'numpy') there = true
      return there ? built(work, { bytes: work.job.project }) : { ok: false, failure: MISSING, record: { steps: [] }, needs: ['numpy>=2'] }
    }
    const { id } = await bench.wish()
    expect(await run()).toMatchObject({ id, state: 'queued', attempts: 0 })
    expect(await logText(bench.logs, (await bench.job(id)).build!)).toContain('Muslin: numpy 2.3.5 is to be built first, for numpy>=2\n')
    expect(await run()).toMatchObject({ project: 'numpy', state: 'built' })
    expect(await run()).toMatchObject({ id, state: 'built', attempts: 1 })
  })

  test('fails where nothing can be built for one, and where it needs itself', async () => {
    bench.builder.play = async () => ({ ok: false, failure: MISSING, record: { seconds: 1 }, needs: ['numpy>=2'] })
    await bench.wish()
    const job = await run()
    expect(job).toMatchObject({ state: 'failed', remembered: true, failure: { class: 'build-requirement-unbuildable', key: 'numpy>=2' } })
    expect(await bench.store.jobs.build(job.build!)).toMatchObject({ record: { seconds: 1 } })
    releases('numpy', '2.3.5')
    await bench.clock.advance(60_000)
    const [{ wish }] = await find(JOB, ['numpy'], []) as unknown as [{ wish: { sdist: { sha256: string; filename: string } } }]
    await bench.wish({ project: 'numpy', version: '2.3.5', sdist: wish.sdist })
    expect(await run()).toMatchObject({ state: 'failed', failure: { key: 'numpy>=2 (numpy 2.3.5 needs numpy 2.3.5: a circle)' } })
  })

  test('is tried again in minutes where the upstream does not say what there is', async () => {
    index.break(503)
    bench.builder.play = async () => ({ ok: false, failure: MISSING, record: {}, needs: ['numpy>=2'] })
    await bench.wish()
    expect(await run()).toMatchObject({ state: 'failed', failure: { class: 'infrastructure' } })
  })
})
