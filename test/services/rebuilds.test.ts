import { afterEach, beforeEach, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { createPlanner } from '../../src/services/planner.ts'
import { createPrebuilds } from '../../src/services/prebuilds.ts'
import { createRebuilds, type Rebuilds } from '../../src/services/rebuilds.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const OLD = 'cp312-musllinux_1_2_x86_64'

let bench: IndexBench
let rebuilds: Rebuilds
beforeEach(async () => {
  bench = await makeIndexBench()
  const parts = { ...bench, readyTargets: async () => bench.builder.ready, targets: [TARGET, OLD], workers: 1 }
  const planner = createPlanner(parts)
  rebuilds = createRebuilds({ ...bench, planner, prebuilds: createPrebuilds({ ...parts, planner }) })
  for (const project of ['fast', 'slow']) bench.upstream.project(project, [`${project}-1.0-py3-none-any.whl`, `${project}-1.0-cp310-abi3-win_amd64.whl`, `${project}-1.0.tar.gz`].map((name) => file(name)))
  bench.upstream.project('plain', [file('plain-2.0.tar.gz')])
})
afterEach(() => bench.close())

async function built(project: string): Promise<void> {
  const sdist = { sha256: sha256(`${project}-1.0.tar.gz`), filename: `${project}-1.0.tar.gz` }
  const { job } = await bench.store.jobs.wish({ kind: 'build', project, version: '1.0', sdist, target: OLD, recipe: '', image: 'i', priority: PRIORITY.asked, askedBy: 'x' }, 1)
  const run = (await bench.store.jobs.claim('me', { kinds: ['build'], targets: { [OLD]: 'i' } }, 1, 9))!
  await bench.store.wheels.publish({
    sha256: 'f'.repeat(64), filename: `${project}-1.0-1-cp312-${OLD}.whl`, size: 1, project, version: '1.0', target: OLD, sdist: sdist.sha256, number: 1, metadata: 'e'.repeat(64),
    requiresPython: undefined, publishedAt: 1, build: run.build,
  }, { id: job.id, worker: 'me', metadataChanged: false }, {}, 2)
}

async function sent(...filenames: string[]): Promise<void> {
  await bench.store.downloads.add(filenames.map((filename) => ({ sha256: sha256(filename), filename, client: 'a', at: 5, target: OLD })))
}

test('what an older Python uses is planned and built for a new one, natively what we built for it, the most wanted first', async () => {
  await built('fast')
  await bench.upstreamPages.refresh('plain')
  await sent('plain-2.0.tar.gz', 'plain-2.0.tar.gz', 'slow-1.0-py3-none-any.whl')
  const { lines } = await rebuilds.plan({ target: TARGET, like: OLD })
  expect(lines.map(({ project, version, target, verdict }) => [project, version, target, verdict])).toEqual([
    ['plain', '2.0', TARGET, 'would-build'], ['slow', '1.0', TARGET, 'upstream-wheel'], ['fast', '1.0', TARGET, 'would-build'],
  ])
  const prebuild = await rebuilds.start({ target: TARGET, like: OLD }, 'admin')
  const jobs = await Promise.all(prebuild.lines.flatMap(({ job }) => job === null ? [] : [bench.job(job)]))
  expect(jobs).toMatchObject([{ project: 'plain', priority: PRIORITY.rebuild, askedBy: 'admin' }, { project: 'fast', priority: PRIORITY.rebuild, target: TARGET }])
})

test('orders that mean nothing are refused', async () => {
  await expect(rebuilds.plan({ target: TARGET, like: 'x' })).rejects.toMatchObject({ code: 'unknown-target' })
  await expect(rebuilds.plan({ target: TARGET, like: TARGET })).rejects.toMatchObject({ code: 'bad-request' })
  await expect(rebuilds.plan({ target: TARGET, like: OLD })).rejects.toMatchObject({ code: 'bad-request', detail: expect.stringContaining('nothing was built') })
})
