import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY, type Job, type JobKind } from '../../src/domain/job.ts'
import type { BuildWork } from '../../src/services/ports.ts'
import { HEARD_WITHIN_MS } from '../../src/services/ready-targets.ts'
import { LEASE_MS, createWorker, isAlive, SUCCESSOR_MS, workerId, type Worker } from '../../src/services/worker.ts'
import { type Bench, type Played, TARGET, built, makeBench, silent } from './bench.ts'

const HEARTBEAT_MS = LEASE_MS / 3
const BEAT_MS = 10_000
const SWEEP_MS = 60_000
const GRACE_MS = 8_000
const BOTH = { kinds: ['metadata', 'build'] as JobKind[], targets: { [TARGET]: 'image-1' } }
const ID = `${hostname()}:${process.pid}:self`

let bench: Bench
let worker: Worker | undefined
beforeEach(async () => { bench = await makeBench() })
afterEach(async () => {
  const stopped = worker?.stop(0)
  worker = undefined
  await bench.clock.advance(0)
  await stopped
  await bench.close()
})

/** A run that the test ends; ends by itself when it is aborted. */
interface Begun { work: BuildWork; kind: JobKind; end: (played?: Played) => Promise<void> }

/** Lets runs begin and stand; `next` gives each in its order. */
function standing(): { begun: Begun[]; next: () => Promise<Begun> } {
  const begun: Begun[] = []
  const asked: ((one: Begun) => void)[] = []
  const untold: Begun[] = []
  bench.builder.play = (work, kind) => new Promise((resolve, reject) => {
    work.signal.addEventListener('abort', () => reject(work.signal.reason))
    const one: Begun = { work, kind, end: async (played) => { resolve(played ?? await built(work)) } }
    begun.push(one)
    const ask = asked.shift()
    if (ask) ask(one)
    else untold.push(one)
  })
  return { begun, next: () => new Promise((resolve) => { const one = untold.shift(); if (one) resolve(one); else asked.push(resolve) }) }
}

let forget: () => Promise<number>
beforeEach(() => { forget = async () => 0 })

async function start(slots = 1, memory = { budget: 2 ** 40, limit: 2 ** 30 }): Promise<Worker> {
  const { store, builder, clock } = bench
  worker = createWorker({ id: ID, slots, memory, jobs: store.jobs, workers: store.workers, builder, run: bench.runner(), forget, clock, log: silent })
  await worker.start()
  return worker
}

function wishNumber(n: number, kind: JobKind = 'build'): Promise<Job> {
  return bench.wish({ kind, version: `1.${n}`, sdist: { sha256: String(n).repeat(64), filename: `demo-1.${n}.tar.gz` } })
}

const isBuilt = (job: Job) => job.state === 'built'

describe('memory', () => {
  const GIB = 2 ** 30

  test('builds run beside each other as far as it reaches, and the next begins when one ends', async () => {
    const runs = standing()
    const jobs = [await wishNumber(1), await wishNumber(2), await wishNumber(3)]
    await start(3, { budget: 4 * GIB, limit: 2 * GIB })
    // Nobody knows this project: each counts as a quarter, and a trial as much; four would fit, were there slots.
    const first = await runs.next()
    await Promise.all([runs.next(), runs.next()])
    await first.end()
    await bench.until(jobs[0]!.id, isBuilt)
    const peak = { steps: [{ step: 'build', seconds: 1, peakBytes: 2 * GIB }] }
    for (const { end, work } of runs.begun.slice(1)) await end(await built(work, { bytes: work.job.version, record: peak }))
    for (const { id } of jobs) await bench.until(id, isBuilt)
    // Now it is known: it takes two gigabytes and more, and one at a time fits.
    const later = [await wishNumber(4), await wishNumber(5)]
    const fourth = await runs.next()
    expect(fourth.work.job.id).toBe(later[0]!.id)
    await bench.clock.advance(BEAT_MS)
    expect((await bench.job(later[1]!.id)).state).toBe('queued')
    await fourth.end(await built(fourth.work, { bytes: '4' }))
    const fifth = await runs.next()
    await fifth.end(await built(fifth.work, { bytes: '5' }))
    await bench.until(later[1]!.id, isBuilt)
  })
})

describe('leases', () => {
  test('heartbeats keep the lease for as long as the build takes', async () => {
    const runs = standing()
    const { id } = await bench.wish()
    await start()
    const run = await runs.next()
    for (let beat = 0; beat < 7; beat++) {
      await bench.clock.began(HEARTBEAT_MS)
      await bench.clock.advance(HEARTBEAT_MS)
    }
    expect(await bench.store.jobs.claim('another', BOTH, bench.clock.now(), bench.clock.now() + LEASE_MS)).toBeUndefined()
    await run.end()
    expect(await bench.until(id, isBuilt)).toMatchObject({ attempts: 1, worker: ID })
  })

  test('a lost lease aborts the run; the other worker keeps the job, and nothing is published', async () => {
    const runs = standing()
    const { id } = await bench.wish()
    const running = await start()
    const { work } = await runs.next()
    const { jobs, wheels } = bench.store
    await bench.clock.began(HEARTBEAT_MS)
    await jobs.giveBack((await bench.job(id)).build!, 'death', bench.clock.now())
    await jobs.claim('another', BOTH, bench.clock.now(), bench.clock.now() + 60_000)
    const aborted = new Promise((resolve) => { work.signal.addEventListener('abort', resolve) })
    await bench.clock.advance(HEARTBEAT_MS)
    await aborted
    await running.stop(0)
    expect(await bench.job(id)).toMatchObject({ state: 'running', worker: 'another', attempts: 2 })
    expect(await wheels.wheels('demo')).toEqual([])
  })

  test('a cancelled build is aborted by the next heartbeat and stays cancelled', async () => {
    const runs = standing()
    const { id } = await bench.wish()
    const running = await start()
    const { work } = await runs.next()
    await bench.clock.began(HEARTBEAT_MS)
    await bench.store.jobs.cancel(id, bench.clock.now())
    expect(work.signal.aborted).toBe(false)
    const aborted = new Promise((resolve) => { work.signal.addEventListener('abort', resolve) })
    await bench.clock.advance(HEARTBEAT_MS)
    await aborted
    await running.stop(0)
    expect(await bench.job(id)).toMatchObject({ state: 'cancelled' })
  })

  test('the job of a worker elsewhere that fell silent is run once its lease is over', async () => {
    const { id } = await bench.wish()
    await bench.store.jobs.claim('elsewhere:1:dead', BOTH, bench.clock.now(), bench.clock.now() + 12_000)
    await start()
    await bench.clock.began(LEASE_MS, 2)
    expect(await bench.job(id)).toMatchObject({ state: 'running', worker: 'elsewhere:1:dead' })
    await bench.clock.advance(LEASE_MS)
    expect(await bench.until(id, isBuilt)).toMatchObject({ worker: ID, attempts: 2 })
  })
})

test('so many builds at once as there are slots, and metadata beside them', async () => {
  const runs = standing()
  for (const n of [1, 2, 3]) await wishNumber(n)
  await start(2)
  const first = await runs.next()
  await runs.next()
  // The third slot rests although a build waits.
  await bench.clock.began(LEASE_MS)
  expect(await bench.store.jobs.count('queued')).toBe(1)
  await wishNumber(4, 'metadata')
  const third = await runs.next()
  expect(third.kind).toBe('metadata')
  await first.end()
  expect((await runs.next()).work.job.version).toBe('1.3')
  expect(runs.begun.map(({ kind }) => kind)).toEqual(['build', 'build', 'metadata', 'build'])
})

test('while a build slot is free, a metadata job is answered by the build of its sdist, not by a run of its own', async () => {
  const runs = standing()
  await wishNumber(1, 'metadata')
  await wishNumber(1)
  await start(1)
  const only = await runs.next()
  expect(only.kind).toBe('build')
  await bench.clock.began(LEASE_MS)
  expect(runs.begun.map(({ kind }) => kind)).toEqual(['build'])
  await only.end()
})

test('during a pause nothing is begun, and what runs goes on; its end wakes the worker', async () => {
  const runs = standing()
  const [first, second] = [await wishNumber(1), await wishNumber(2)]
  await start(1)
  const run = await runs.next()
  await bench.store.jobs.pause(undefined, bench.clock.now())
  await run.end()
  await bench.until(first.id, isBuilt)
  await bench.clock.began(LEASE_MS, 2)
  await bench.clock.advance(LEASE_MS)
  expect(await bench.job(second.id)).toMatchObject({ state: 'queued', attempts: 0 })
  await bench.store.jobs.resume()
  expect((await runs.next()).work.job.id).toBe(second.id)
})

test('trials take the slots of builds', async () => {
  const runs = standing()
  await wishNumber(1, 'trial')
  await wishNumber(2)
  await start(1)
  const first = await runs.next()
  expect(first.work.job.version).toBe('1.1')
  await bench.clock.began(LEASE_MS)
  expect(await bench.store.jobs.count('queued')).toBe(1)
  await first.end()
  expect((await runs.next()).work.job.version).toBe('1.2')
})

describe('an engine that goes away', () => {
  test('fails nothing: its runs go back, and nothing is taken until it says again what it builds', async () => {
    const runs = standing()
    const jobs = [await wishNumber(1), await wishNumber(2), await wishNumber(3)]
    await start(2)
    const [first, second] = [await runs.next(), await runs.next()]
    const { ready } = bench.builder
    bench.builder.ready = new Map()
    for (const { end } of [first, second]) await end({ ok: false, failure: { class: 'infrastructure', key: 'no daemon answers' }, record: {}, away: true })
    for (const { id } of jobs.slice(0, 2)) expect(await bench.until(id, ({ state }) => state === 'queued')).toMatchObject({ attempts: 1, failure: undefined, remembered: false })
    await bench.clock.began(BEAT_MS)
    await bench.clock.advance(BEAT_MS)
    expect(runs.begun).toHaveLength(2)
    expect((await bench.store.workers.targets(bench.clock.now())).size).toBe(0)
    bench.builder.ready = ready
    await bench.clock.began(BEAT_MS)
    await bench.clock.advance(BEAT_MS)
    for (let n = 0; n < 3; n++) {
      const run = await runs.next()
      await run.end(await built(run.work, { bytes: run.work.job.version }))
    }
    for (const { id } of jobs) await bench.until(id, isBuilt)
  })
})

describe('what dead workers left', () => {
  const dead = `${hostname()}:${spawnSync('true').pid}:dead`

  test('the start takes a dead process\'s jobs back before their lease is over, and leaves those of the living', async () => {
    const far = bench.clock.now() + 3_600_000
    const mine = await wishNumber(1)
    await bench.store.jobs.claim(dead, BOTH, bench.clock.now(), far)
    const theirs = await wishNumber(2)
    await bench.store.jobs.claim('elsewhere:1:alive', BOTH, bench.clock.now(), far)
    await start()
    expect(await bench.until(mine.id, isBuilt)).toMatchObject({ attempts: 2, worker: ID })
    expect(await bench.job(theirs.id)).toMatchObject({ state: 'running', worker: 'elsewhere:1:alive' })
  })

  test('the engine is swept before anything runs', async () => {
    const order: string[] = []
    bench.builder.sweep = async () => { order.push('sweep'); return 1 }
    bench.builder.play = (work) => { order.push('run'); return built(work) }
    const { id } = await bench.wish()
    await start()
    await bench.until(id, isBuilt)
    expect(order).toEqual(['sweep', 'run'])
  })

  test('the engine is swept every minute too, whatever came of the last time, and no more once the worker stops', async () => {
    const outcomes = [() => 0, () => { throw new Error('the engine is away') }, () => 1]
    let sweeps = 0
    bench.builder.sweep = async () => outcomes[sweeps++]?.() ?? 0
    const stopping = await start()
    for (const expected of [1, 2, 3]) {
      await bench.clock.began(SWEEP_MS)
      expect(sweeps).toBe(expected)
      if (expected < 3) await bench.clock.advance(SWEEP_MS)
    }
    await stopping.stop(0)
    await bench.clock.advance(SWEEP_MS)
    expect(sweeps).toBe(3)
  })

  test.each([
    ['itself', ID, true],
    ['another of its process number, as after a container\'s restart', `${hostname()}:${process.pid}:other`, false],
    ['a process that is gone', dead, false],
    ['a process that runs', `${hostname()}:${process.ppid}:x`, true],
    ['a process of another machine, whatever its number', 'elsewhere:1:x', true],
  ])('%s', (_who, other, alive) => {
    expect(isAlive(other, ID)).toBe(alive)
  })

  test('every start has a name of its own, of three parts', () => {
    expect(workerId()).toMatch(/^[^:]+:\d+:[0-9a-f]{8}$/)
    expect(workerId()).not.toBe(workerId())
  })
})

describe('the end', () => {
  test('running builds may end within the grace; nothing new is begun', async () => {
    const runs = standing()
    const first = await wishNumber(1)
    const stopping = await start()
    const run = await runs.next()
    const stopped = stopping.stop(GRACE_MS)
    const second = await wishNumber(2)
    await bench.clock.began(GRACE_MS)
    expect(run.work.signal.aborted).toBe(false)
    await run.end()
    await stopped
    expect((await bench.job(first.id)).state).toBe('built')
    expect((await bench.job(second.id)).state).toBe('queued')
  })

  test('its last word holds on for half a minute, until its successor speaks', async () => {
    const stopping = await start()
    await stopping.stop(GRACE_MS)
    const ready = () => bench.store.workers.targets(bench.clock.now() - HEARD_WITHIN_MS)
    await bench.clock.advance(SUCCESSOR_MS)
    expect([...await ready()]).toEqual([[TARGET, 'image-1']])
    await bench.clock.advance(1)
    expect([...await ready()]).toEqual([])
  })

  test('what takes longer is handed back to the queue, without a failure', async () => {
    const runs = standing()
    const { id } = await bench.wish()
    const stopping = await start()
    const { work } = await runs.next()
    const stopped = stopping.stop(GRACE_MS)
    await bench.clock.began(GRACE_MS)
    await bench.clock.advance(GRACE_MS)
    await stopped
    expect(work.signal.aborted).toBe(true)
    const job = await bench.job(id)
    expect(job).toMatchObject({ state: 'queued', failure: undefined, remembered: false })
    expect(await bench.store.jobs.build(job.build!)).toMatchObject({ failure: undefined, finishedAt: bench.clock.now() })
  })
})

describe('beats', () => {
  const told = async () => [...await bench.store.workers.targets(bench.clock.now() - 1)]

  test('targets are told at the start, and anew as they change; one beat that fails is not the last', async () => {
    await start()
    expect(await told()).toEqual([[TARGET, 'image-1']])
    bench.builder.targets = async () => { throw new Error('the engine is away') }
    await bench.clock.began(BEAT_MS)
    await bench.clock.advance(BEAT_MS)
    await bench.clock.began(BEAT_MS)
    expect(await told()).toEqual([])
    bench.builder.targets = async () => new Map([[TARGET, 'image-2']])
    await bench.clock.advance(BEAT_MS)
    await bench.clock.began(BEAT_MS)
    expect(await told()).toEqual([[TARGET, 'image-2']])
  })

  test('only jobs of its targets are taken', async () => {
    bench.builder.ready = new Map()
    const { id } = await bench.wish()
    await start()
    await bench.clock.began(LEASE_MS, 2)
    expect((await bench.job(id)).state).toBe('queued')
    bench.builder.ready = new Map([[TARGET, 'image-1']])
    await bench.clock.advance(LEASE_MS)
    await bench.until(id, isBuilt)
  })

  test('jobs of an image that is gone are built with the new one', async () => {
    const { id } = await bench.wish()
    bench.builder.ready = new Map([[TARGET, 'image-2']])
    await start()
    expect(await bench.until(id, isBuilt)).toMatchObject({ image: 'image-2' })
  })

  test('failures whose time is over are built again', async () => {
    const { id } = await bench.wish()
    const { build } = await bench.claim()
    await bench.store.jobs.fail(build, { class: 'build-failed', key: 'exit code 1' }, undefined, bench.clock.now(), bench.clock.now() + BEAT_MS)
    await start()
    expect((await bench.job(id)).state).toBe('failed')
    await bench.clock.began(BEAT_MS)
    await bench.clock.advance(BEAT_MS)
    expect(await bench.until(id, isBuilt)).toMatchObject({ remembered: false, priority: PRIORITY.background })
  })

  test('every ten minutes failures are looked through, and one time that fails is not the last', async () => {
    const looked: number[] = []
    forget = async () => {
      looked.push(bench.clock.now())
      if (looked.length === 1) throw new Error('the disk is away')
      return 1
    }
    const began = bench.clock.now()
    await start()
    for (let n = 0; n < 2; n++) {
      await bench.clock.began(10 * 60_000)
      await bench.clock.advance(10 * 60_000)
    }
    await bench.clock.began(10 * 60_000)
    expect(looked).toEqual([began + 10 * 60_000, began + 20 * 60_000])
  })
})
