import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { createDownloads } from '../../src/services/downloads.ts'
import { createOverview } from '../../src/services/overview.ts'
import { createPausing } from '../../src/services/pausing.ts'
import { createReadyTargets } from '../../src/services/ready-targets.ts'
import { Overview } from '../../src/services/views.ts'
import { AGENTS } from '../http/rig.ts'
import { type Bench, makeBench, silent, TARGET } from './bench.ts'

let bench: Bench
beforeEach(async () => { bench = await makeBench() })
afterEach(() => bench.close())

const OTHER = 'cp312-musllinux_1_2_x86_64'

test('what was served, built and saved, what is under way, and who builds', async () => {
  const { store, clock } = bench
  const readyTargets = createReadyTargets({ workers: store.workers, clock })
  const { overview } = createOverview({ store, readyTargets, pausing: createPausing({ jobs: store.jobs, clock }), targets: [TARGET], clock })
  expect(await overview()).toEqual({
    offline: false, files: 0, wheelsServed: 0, wheelsBuilt: 0, secondsSaved: 0, queued: 0, running: 0, failed: 0, workers: 0, pause: null,
    targets: [{ name: TARGET, python: '3.13', cpu: 'x86_64', ready: false, image: null, configured: true }],
  })
  await store.workers.beat('one', { [TARGET]: 'image-1' }, clock.now())
  await store.workers.beat('two', { [OTHER]: 'image-2' }, clock.now())
  for (let n = 1; n <= 4; n++) await bench.wish({ kind: n === 3 ? 'trial' : 'build', sdist: { sha256: `${n}`.repeat(64), filename: `demo-${n}.tar.gz` } })
  await bench.wish({ kind: 'rebuild', sdist: { sha256: '8'.repeat(64), filename: 'demo-8.tar.gz' } })
  await bench.wish({ kind: 'metadata', sdist: { sha256: '9'.repeat(64), filename: 'demo-9.tar.gz' } })
  const metadata = await bench.claim()
  await store.jobs.fail(metadata.build, { class: 'infrastructure', key: 'x' }, undefined, clock.now())
  const built = await bench.claim()
  await clock.advance(20_000)
  await store.wheels.publish({
    sha256: 'f'.repeat(64), filename: 'demo-1.whl', size: 3, project: 'demo', version: '1', target: TARGET, sdist: built.sdist.sha256,
    number: 1, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0, build: built.build,
  }, { id: built.id, worker: 'me', metadataChanged: false }, {}, clock.now())
  const failed = await bench.claim()
  await store.jobs.fail(failed.build, { class: 'infrastructure', key: 'x' }, undefined, clock.now())
  await bench.claim()
  const downloads = createDownloads({ downloads: store.downloads, targets: [TARGET], clock, log: silent })
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) downloads.served({ sha256: 'f'.repeat(64), filename: 'demo-1.whl', client: parseUserAgent(AGENTS.pip), address })
  await downloads.close()
  const now = await overview()
  expect(Overview.parse(now)).toEqual(now)
  expect(now).toMatchObject({
    files: 3, wheelsServed: 2, wheelsBuilt: 1, secondsSaved: 40, queued: 2, running: 1, failed: 1, workers: 2,
    targets: [{ name: TARGET, ready: true, image: 'image-1', configured: true }, { name: OTHER, python: '3.12', ready: true, configured: false }],
  })
  await clock.advance(61_000)
  expect(await overview()).toMatchObject({ workers: 0, targets: [{ name: TARGET, ready: false }] })
})
