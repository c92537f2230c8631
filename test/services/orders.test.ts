import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { createOrders, type Orders } from '../../src/services/orders.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { TARGET } from './bench.ts'
import { file, type IndexBench, makeIndexBench } from './index-bench.ts'

const OTHER = 'cp312-musllinux_1_2_x86_64'
const IDLE = 'cp311-musllinux_1_2_x86_64'

let bench: IndexBench
let orders: Orders
beforeEach(async () => {
  bench = await makeIndexBench()
  bench.builder.ready = new Map([[TARGET, 'image-1'], [OTHER, 'image-2']])
  bench.upstream.project('demo', [
    file('demo-1.9.tar.gz'), file('demo-1.10.tar.gz'), file('demo-1.10.zip'), file('demo-1.11.tar.gz', { yanked: true }),
    file('demo-2.0rc1.tar.gz'), file('demo-3.0-py3-none-any.whl'),
  ])
  orders = createOrders({ ...bench, readyTargets: async () => bench.builder.ready, targets: [TARGET, OTHER, IDLE] })
})
afterEach(() => bench.close())

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('an order', () => {
  test('is for the newest release with an sdist, on every target that can be built for, at the priority of somebody who waits', async () => {
    const jobs = await orders.build({ project: 'Demo' }, 'admin')
    expect(jobs.map(({ target, image }) => [target, image])).toEqual([[TARGET, 'image-1'], [OTHER, 'image-2']])
    expect(jobs[0]).toMatchObject({
      kind: 'build', project: 'demo', version: '1.10', sdist: { filename: 'demo-1.10.tar.gz', sha256: sha256('demo-1.10.tar.gz') },
      state: 'queued', priority: PRIORITY.waiting, askedBy: 'admin', recipe: '',
    })
  })

  test('may be for a release that came out after the page did', async () => {
    await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')
    bench.upstream.project('demo', [file('demo-1.10.tar.gz'), file('demo-1.12.tar.gz')])
    expect((await orders.build({ project: 'demo', targets: [TARGET] }, 'admin'))[0]?.version).toBe('1.10')
    expect((await orders.build({ project: 'demo', version: '1.12', targets: [TARGET] }, 'admin'))[0]?.version).toBe('1.12')
  })

  test('takes a prerelease where there is nothing else, and a yanked release where it is named', async () => {
    bench.upstream.project('early', [file('early-1.0a2.tar.gz'), file('early-1.0a1.tar.gz')])
    expect((await orders.build({ project: 'early', targets: [TARGET] }, 'admin'))[0]?.version).toBe('1.0a2')
    expect((await orders.build({ project: 'demo', version: 'v1.11.0', targets: [TARGET] }, 'admin'))[0]?.version).toBe('1.11')
  })

  test('twice is one job; who waits raises the one that is there', async () => {
    const low = await bench.wish({ version: '1.10', sdist: { filename: 'demo-1.10.tar.gz', sha256: sha256('demo-1.10.tar.gz') }, priority: PRIORITY.background })
    for (let n = 0; n < 2; n++) expect(await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')).toMatchObject([{ id: low.id, priority: PRIORITY.waiting }])
  })

  test('tries again what failed or was cancelled', async () => {
    const [job] = await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')
    const run = await bench.claim()
    await bench.store.jobs.fail(run.build, { class: 'build-failed', key: 'code 1' }, undefined, bench.clock.now())
    expect(await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')).toMatchObject([{ id: job!.id, state: 'queued', priority: PRIORITY.waiting, failure: undefined, remembered: false }])
    await orders.cancel(job!.id)
    expect(await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')).toMatchObject([{ id: job!.id, state: 'queued' }])
  })

  test('for a wheel that is there is the job that built it, also where the image is another by now', async () => {
    const [job] = await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')
    const run = await bench.claim()
    await bench.store.wheels.publish({
      sha256: 'f'.repeat(64), filename: `demo-1.10-1-${TARGET}.whl`, size: 3, project: 'demo', version: '1.10', target: TARGET, sdist: job!.sdist.sha256,
      number: 1, metadata: 'e'.repeat(64), requiresPython: undefined, publishedAt: 0, build: run.build,
    }, { id: run.id, worker: 'me', metadataChanged: false }, {}, bench.clock.now())
    bench.builder.ready.set(TARGET, 'image-9')
    expect(await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')).toMatchObject([{ id: job!.id, state: 'built' }])
    const [trial] = await orders.build({ project: 'demo', targets: [TARGET], publish: false }, 'admin')
    expect(trial).toMatchObject({ kind: 'trial', state: 'queued', image: 'image-9' })
  })

  test('that cannot be is refused by its cause', async () => {
    await expect(orders.build({ project: '-x' }, 'admin')).rejects.toEqual(code('bad-name'))
    await expect(orders.build({ project: 'nothing' }, 'admin')).rejects.toEqual(code('no-such-project'))
    await expect(orders.build({ project: 'demo', version: '9' }, 'admin')).rejects.toEqual(code('no-such-release'))
    await expect(orders.build({ project: 'demo', version: '3.0' }, 'admin')).rejects.toEqual(code('no-such-release'))
    bench.upstream.project('wheels', [file('wheels-1.0-py3-none-any.whl')])
    await expect(orders.build({ project: 'wheels' }, 'admin')).rejects.toThrow(/has an sdist/)
    await expect(orders.build({ project: 'demo', targets: ['cp399-musllinux_1_2_x86_64'] }, 'admin')).rejects.toEqual(code('unknown-target'))
    await expect(orders.build({ project: 'demo', targets: [TARGET, IDLE] }, 'admin')).rejects.toEqual(code('no-builder'))
    bench.builder.ready = new Map()
    await expect(orders.build({ project: 'demo' }, 'admin')).rejects.toEqual(code('no-builder'))
    expect(await bench.store.jobs.list()).toEqual([])
  })
})

test('only failed and cancelled jobs are tried again, only queued and running ones cancelled', async () => {
  const [job] = await orders.build({ project: 'demo', targets: [TARGET] }, 'admin')
  await expect(orders.retry(job!.id)).rejects.toEqual(code('not-possible-now'))
  expect(await orders.cancel(job!.id)).toMatchObject({ state: 'cancelled' })
  await expect(orders.cancel(job!.id)).rejects.toEqual(code('not-possible-now'))
  expect(await orders.retry(job!.id)).toMatchObject({ state: 'queued' })
  await bench.claim()
  expect(await orders.cancel(job!.id)).toMatchObject({ state: 'cancelled' })
  for (const act of [orders.retry, orders.cancel]) await expect(act(99)).rejects.toEqual(code('no-such-job'))
})
