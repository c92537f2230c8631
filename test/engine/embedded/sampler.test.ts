import { beforeEach, expect, it } from 'vitest'
import { createSampler, pauseAfter, type Exceeded } from '../../../src/engine/embedded/sampler.ts'
import type { Proc } from '../../../src/engine/embedded/tree.ts'
import { manualClock, type ManualClock } from '../../manual-clock.ts'

const MB = 1 << 20
const limits = { cpu: 1, memoryBytes: 100 * MB, diskBytes: 50 * MB, processes: 10 }

interface Machine { processes: { megabytes: number; share?: number; threads?: number; memfd?: number; deleted?: number }[]; free: number; files: number; walks: number }

let machine: Machine
let clock: ManualClock
let exceeded: Exceeded[]

beforeEach(() => {
  machine = { processes: [], free: 1000 * MB, files: 0, walks: 0 }
  clock = manualClock()
  exceeded = []
})

/** A process's number is its place in the list. */
const proc: Proc = {
  list: (path) => {
    if (!path.endsWith('/fd')) throw new Error('ENOENT')
    return ['3', '4']
  },
  read: (path) => {
    const { megabytes, share = megabytes, threads = 1 } = machine.processes[Number(path.split('/')[0])] ?? { megabytes: 0 }
    if (path.endsWith('smaps_rollup')) return `Pss: ${share * 1024} kB\n`
    return `1 (x) S ${Array.from({ length: 16 }, () => 0).join(' ')} ${threads} 0 0 0 ${megabytes * 256} 0`
  },
  open: (path) => {
    const [pid = '', , fd] = path.split('/')
    const { memfd = 0, deleted = 0 } = machine.processes[Number(pid)] ?? { megabytes: 0 }
    return fd === '3' ? { target: '/memfd:a (deleted)', file: `m${pid}`, bytes: memfd * MB } : { target: '/tmp/a (deleted)', file: `d${pid}`, bytes: deleted * MB }
  },
}

function sampler() {
  return createSampler({
    proc, pageBytes: 4096, limits, clock, members: () => [...machine.processes.keys()], free: () => machine.free,
    walk: async () => { machine.walks++; return machine.files }, exceeded: (what) => exceeded.push(what),
  })
}

/** Both looks have been taken once, and rest. */
async function watched(watch: () => () => void): Promise<() => void> {
  const stop = watch()
  await clock.began(150, 2)
  return stop
}

it('tells when processes use too much together, and what they used at most', async () => {
  const { watch, peakBytes } = sampler()
  expect(peakBytes()).toBeUndefined()
  machine.processes = [{ megabytes: 40 }, { megabytes: 40 }]
  const stop = await watched(watch)
  expect(exceeded).toEqual([])
  machine.processes.push({ megabytes: 40 })
  await clock.advance(150)
  expect(exceeded).toEqual(['memory'])
  machine.processes = []
  stop()
  expect(peakBytes()).toBe(120 * MB)
})

it('counts what processes share once', async () => {
  machine.processes = Array.from({ length: 8 }, () => ({ megabytes: 60, share: 8 }))
  const { watch, peakBytes } = sampler()
  const stop = await watched(watch)
  stop()
  expect(exceeded).toEqual([])
  expect(peakBytes()).toBe(64 * MB)
})

it('counts memory that only an open file holds', async () => {
  machine.processes = [{ megabytes: 1, memfd: 120 }]
  const stop = await watched(sampler().watch)
  stop()
  expect(exceeded).toEqual(['memory'])
})

it('tells of more processes than the kernel should have let through', async () => {
  machine.processes = [{ megabytes: 1, threads: 26 }]
  const stop = await watched(sampler().watch)
  expect(exceeded).toEqual([])
  machine.processes = [{ megabytes: 1, threads: 27 }]
  await clock.advance(150)
  stop()
  expect(exceeded).toEqual(['processes'])
})

it('walks the disk where as much as is left to the run was written, by whomever', async () => {
  const { watch, settle } = sampler()
  const stop = await watched(watch)
  machine.free -= 49 * MB
  await clock.advance(3000)
  expect(machine.walks).toBe(0)
  machine.free -= 2 * MB
  machine.files = 20 * MB
  await clock.advance(300)
  expect([machine.walks, exceeded]).toEqual([1, []])
  stop()
  machine.free -= 31 * MB
  machine.files = 51 * MB
  await settle()
  expect(exceeded).toEqual(['disk'])
})

it('walks every ten seconds whatever the disk says: others may have made room meanwhile', async () => {
  const stop = await watched(sampler().watch)
  machine.free += 500 * MB
  machine.files = 60 * MB
  await clock.advance(10_300)
  stop()
  expect(exceeded).toContain('disk')
})

it('counts files that have no name any more', async () => {
  machine.processes = [{ megabytes: 1, deleted: 60 }]
  const { settle } = sampler()
  machine.free -= 60 * MB
  await settle()
  expect(exceeded).toEqual(['disk'])
})

it('looks on while anybody watches, and no longer', async () => {
  const { watch } = sampler()
  const [one, two] = [await watched(watch), watch()]
  one()
  machine.processes = [{ megabytes: 101 }]
  await clock.advance(150)
  expect(exceeded).toEqual(['memory'])
  two()
  await clock.advance(5000)
  expect(exceeded).toEqual(['memory'])
})

it('rests longer after dear looks, but never leaves processes alone for long', () => {
  expect([0, 3, 10, 100].map((took) => pauseAfter(took, 50))).toEqual([150, 150, 490, 600])
  expect([0, 100, 2000].map((took) => pauseAfter(took, 10))).toEqual([150, 900, 18_000])
})
