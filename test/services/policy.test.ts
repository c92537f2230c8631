import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { serverRules } from '../../src/config/policy.ts'
import { createFiles } from '../../src/services/files.ts'
import { createFindNeeds } from '../../src/services/needs.ts'
import { createOrders } from '../../src/services/orders.ts'
import { createPolicy, permittedPages } from '../../src/services/policy.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { silent, TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

let bench: IndexBench
beforeEach(async () => {
  bench = await makeIndexBench()
  bench.builder.ready = new Map([[TARGET, 'image-1']])
  bench.upstream.project('demo', [file('demo-1.0.tar.gz', { 'upload-time': '2024-01-01T00:00:00Z' }), file('demo-2.0.tar.gz', { 'upload-time': '2026-11-21T00:00:00Z' })])
})
afterEach(() => bench.close())

const policyOf = (given: Partial<Parameters<typeof serverRules>[0]>) =>
  createPolicy({ rules: serverRules({ deny: [], cooldown: 0, cooldownExempt: [], ...given }), store: bench.store, clock: bench.clock })
const COOLDOWN = { cooldown: 259_200 }
const held = (name: string) => expect.objectContaining({ code: 'blocked-by-policy', detail: expect.stringContaining(`${name} is held back`) })

test('a job does not get the sdist that is held back, what this program pins itself is had all the same', async () => {
  const upstream = createUpstream({ url: bench.upstream.url, instance: 'this-one', log: silent, clock: bench.clock })
  const files = createFiles({ store: bench.store, blobs: bench.blobs, upstream, policy: policyOf(COOLDOWN), clock: bench.clock, log: silent })
  await bench.upstreamPages.refresh('demo')
  const digest = sha256('demo-2.0.tar.gz')
  await expect(files.blob(digest, 'demo-2.0.tar.gz')).rejects.toEqual(held('demo-2.0.tar.gz'))
  for (let twice = 0; twice < 2; twice++) expect(await text(await files.pinned(digest, 'demo-2.0.tar.gz'))).toBe('demo-2.0.tar.gz')
  await expect(files.blob(digest, 'demo-2.0.tar.gz'), 'though it is kept by now').rejects.toEqual(held('demo-2.0.tar.gz'))
  await expect(files.pinned(sha256('never listed'), 'demo-2.0.tar.gz')).rejects.toEqual(expect.objectContaining({ code: 'no-such-file' }))
  expect(await text(await files.blob(sha256('demo-1.0.tar.gz'), 'demo-1.0.tar.gz'))).toBe('demo-1.0.tar.gz')
  await upstream.close()
})

test('what is chosen for a build requirement, and what is ordered, is what may be served', async () => {
  const policy = policyOf(COOLDOWN)
  const findNeeds = createFindNeeds({ upstreamPages: permittedPages(bench.upstreamPages, policy), recipes: bench.recipes })
  expect(await findNeeds({ target: TARGET, image: 'image-1' }, ['demo'], [])).toMatchObject([{ wish: { version: '1.0' } }])
  expect(await findNeeds({ target: TARGET, image: 'image-1' }, ['demo>1'], [])).toHaveProperty('failure')
  const orders = createOrders({ ...bench, policy, readyTargets: async () => bench.builder.ready, targets: [TARGET] })
  expect(await orders.build({ project: 'demo' }, 'admin')).toMatchObject([{ version: '1.0' }])
  await expect(orders.build({ project: 'demo', version: '2' }, 'admin')).rejects.toEqual(held('demo-2.0.tar.gz'))
  const none = createOrders({ ...bench, policy: policyOf({ deny: ['demo'] }), readyTargets: async () => bench.builder.ready, targets: [TARGET] })
  await expect(none.build({ project: 'demo' }, 'admin')).rejects.toEqual(held('demo-1.0.tar.gz'))
})

test('without rules a page is passed on as it is', async () => {
  await bench.upstreamPages.refresh('demo')
  const kept = await permittedPages(bench.upstreamPages, policyOf({})).read('demo')
  expect(kept).toEqual(await bench.upstreamPages.read('demo'))
  expect(await permittedPages(bench.upstreamPages, policyOf(COOLDOWN)).read('nothing')).toBeUndefined()
})
