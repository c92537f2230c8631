import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMatrix, type Matrix } from '../../src/services/matrix.ts'
import { type MatrixCell, ProjectMatrix } from '../../src/services/views.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const TARGETS = ['cp310', 'cp311', 'cp312', 'cp313', 'cp314'].map((python) => `${python}-musllinux_1_2_x86_64`)

let bench: IndexBench
let matrix: Matrix
beforeEach(async () => {
  bench = await makeIndexBench()
  matrix = createMatrix({ ...bench, readyTargets: async () => bench.builder.ready, targets: [TARGET] })
})
afterEach(() => bench.close())

const nothing: Omit<MatrixCell, 'verdict'> = { filename: null, job: null, build: null, failure: null, why: null }

async function cells(project = 'demo'): Promise<Record<string, MatrixCell>> {
  const found = await matrix.project(project)
  expect(ProjectMatrix.parse(found)).toEqual(found)
  return Object.fromEntries(found.releases.map(({ version, cells }) => [version, cells[TARGET]!]))
}

test('what is had of each release, newest first, from the kept page alone', async () => {
  bench.upstream.project('demo', [
    file('demo-1.9.tar.gz', { 'upload-time': '2024-02-02T00:00:00Z' }), file('demo-1.9-cp313-cp313-manylinux_2_17_x86_64.whl', { 'upload-time': '2024-02-01T00:00:00Z' }),
    file('demo-1.10-cp313-cp313-musllinux_1_2_x86_64.whl'), file('demo-1.10-py3-none-any.whl'), file('demo-1.10.tar.gz'),
    file('demo-1.11-py3-none-any.whl', { yanked: 'broken' }), file('demo-2.0rc1.zip'), file('demo-2.0-cp313-cp313-win_amd64.whl', { 'upload-time': null }),
    file('demo-3.0.tar.gz', { 'requires-python': '>=3.14' }), file('demo-nonsense.exe'),
  ])
  await bench.upstreamPages.refresh('demo')
  const asked = bench.upstream.requests.length
  const found = await matrix.project('Demo')
  expect(found).toMatchObject({ project: 'demo', fetchedAt: '2026-11-21T12:00:00.000Z', targets: [TARGET] })
  expect(found.releases.map(({ version, yanked, prerelease, uploadedAt }) => [version, yanked, prerelease, uploadedAt?.slice(0, 10)])).toEqual([
    ['3.0', false, false, '2024-05-06'], ['2.0', false, false, undefined], ['2.0rc1', false, true, '2024-05-06'],
    ['1.11', true, false, '2024-05-06'], ['1.10', false, false, '2024-05-06'], ['1.9', false, false, '2024-02-01'],
  ])
  expect(await cells()).toEqual({
    '1.9': { ...nothing, verdict: 'could-build' },
    '1.10': { ...nothing, verdict: 'upstream-wheel', filename: 'demo-1.10-cp313-cp313-musllinux_1_2_x86_64.whl' },
    '1.11': { ...nothing, verdict: 'pure-wheel', filename: 'demo-1.11-py3-none-any.whl' },
    '2.0rc1': { ...nothing, verdict: 'could-build' },
    '2.0': { ...nothing, verdict: 'no-sdist' },
    '3.0': { ...nothing, verdict: 'unsupported-python' },
  })
  expect(bench.upstream.requests.length).toBe(asked)
  expect(await bench.store.jobs.list()).toEqual([])
})

test('a release on its way, failed, and built', async () => {
  bench.upstream.project('demo', [file('demo-1.0.tar.gz')])
  await bench.upstreamPages.refresh('demo')
  const sdist = { filename: 'demo-1.0.tar.gz', sha256: sha256('demo-1.0.tar.gz') }
  await bench.wish({ kind: 'trial', sdist })
  expect(await cells()).toEqual({ '1.0': { ...nothing, verdict: 'could-build' } })
  await bench.store.jobs.cancel(1, bench.clock.now())
  expect(await cells(), 'a trial tells nobody anything').toEqual({ '1.0': { ...nothing, verdict: 'could-build' } })
  const job = await bench.wish({ sdist })
  expect(await cells()).toEqual({ '1.0': { ...nothing, verdict: 'queued', job: job.id } })
  const run = await bench.claim()
  expect(await cells()).toEqual({ '1.0': { ...nothing, verdict: 'running', job: job.id, build: run.build } })
  await bench.store.jobs.fail(run.build, { class: 'missing-command', key: 'cmake' }, undefined, bench.clock.now())
  expect(await cells()).toEqual({ '1.0': { ...nothing, verdict: 'failed', job: job.id, build: run.build, failure: { class: 'missing-command', cause: 'needs the command cmake', remedy: expect.any(String), apks: ['cmake'], job: null } } })
  bench.builder.ready.set(TARGET, 'image-2')
  expect(await cells(), 'with another image it may work').toEqual({ '1.0': { ...nothing, verdict: 'could-build' } })
  bench.builder.ready.delete(TARGET)
  expect((await cells())['1.0']?.verdict, 'nobody builds now').toBe('failed')
  bench.builder.ready.set(TARGET, 'image-1')
  await bench.store.jobs.retry(job.id, bench.clock.now())
  await bench.store.jobs.cancel(job.id, bench.clock.now())
  expect((await cells())['1.0']?.verdict).toBe('cancelled')
  await bench.store.jobs.retry(job.id, bench.clock.now())
  const again = await bench.claim()
  await bench.store.wheels.publish({
    sha256: 'f'.repeat(64), filename: `demo-1.0-1-${TARGET}.whl`, size: 3, project: 'demo', version: '1.0', target: TARGET, sdist: sdist.sha256,
    number: 1, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0, build: again.build,
  }, { id: job.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
  const built = { ...nothing, verdict: 'built', filename: `demo-1.0-1-${TARGET}.whl`, job: job.id, build: again.build }
  expect(await cells()).toEqual({ '1.0': built })
  bench.upstream.project('demo', [])
  await bench.clock.advance(61_000)
  await bench.upstreamPages.refresh('demo')
  expect(await cells(), 'what is built stays though the upstream forgets it').toEqual({ '1.0': { ...built, job: null } })
})

test('a project of which nothing is kept is refused, and not asked for', async () => {
  bench.upstream.project('demo', [file('demo-1.0.tar.gz')])
  await expect(matrix.project('demo')).rejects.toEqual(expect.objectContaining({ code: 'no-such-project' }))
  await expect(matrix.project('../x')).rejects.toEqual(expect.objectContaining({ code: 'bad-name' }))
  await bench.upstreamPages.refresh('gone')
  await expect(matrix.project('gone')).rejects.toEqual(expect.objectContaining({ code: 'no-such-project' }))
  expect(bench.upstream.requests).toEqual(['GET /simple/gone/'])
})

test('300 releases by 5 targets take less than 300 ms, JSON and all', async () => {
  const pythons = ['39', '310', '311', '312', '313', '314']
  const platforms = ['manylinux_2_17_x86_64.manylinux2014_x86_64', 'musllinux_1_2_aarch64', 'macosx_11_0_arm64', 'win_amd64', 'win32', 'manylinux_2_17_aarch64']
  const files = Array.from({ length: 300 }, (_, n) => `1.${n}`).flatMap((version) => [
    file(`demo-${version}.tar.gz`, { 'requires-python': '>=3.9' }),
    ...pythons.flatMap((python) => platforms.map((platform) => file(`demo-${version}-cp${python}-cp${python}-${platform}.whl`, { 'requires-python': '>=3.9' }))),
    file(`demo-${version}-cp313-cp313-musllinux_1_2_x86_64.whl`),
  ])
  bench.upstream.project('demo', files)
  await bench.upstreamPages.refresh('demo')
  for (let n = 0; n < 200; n++) {
    const filename = `demo-1.${n}.tar.gz`
    await bench.wish({ target: TARGETS[n % 5]!, sdist: { filename, sha256: sha256(filename) } })
  }
  bench.builder.ready = new Map(TARGETS.map((target) => [target, 'image-1']))
  const times: number[] = []
  for (let n = 0; n < 4; n++) {
    // Of this thread alone: what else the machine does meanwhile is no matter of ours.
    const began = process.threadCpuUsage()
    const json = JSON.stringify(await matrix.project('demo'))
    const { user, system } = process.threadCpuUsage(began)
    times.push((user + system) / 1000)
    expect((JSON.parse(json) as ProjectMatrix).releases).toHaveLength(300)
  }
  console.log(`a matrix of 300 × 5 from a page of ${files.length} files: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  expect(Math.min(...times)).toBeLessThan(300)
})
