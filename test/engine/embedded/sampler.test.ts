import { beforeEach, expect, it } from 'vitest'
import { createSampler, type Exceeded } from '../../../src/engine/embedded/sampler.ts'
import type { Proc } from '../../../src/engine/embedded/tree.ts'
import { manualClock, type ManualClock } from '../../manual-clock.ts'

const MB = 1 << 20
const limits = { cpu: 1, memoryBytes: 100 * MB, diskBytes: 50 * MB, processes: 10 }

interface Machine {
  processes: { megabytes: number; share?: number; threads?: number; memfd?: number; deleted?: number; closed?: boolean; mapped?: number }[]
  free: number
  freeFiles: number
  /** Undefined: the walk fails. */
  files: number | undefined
  count: number
  walks: number
}

let machine: Machine
let clock: ManualClock
let exceeded: Exceeded[]

beforeEach(() => {
  machine = { processes: [], free: 1000 * MB, freeFiles: 1_000_000, files: 0, count: 10, walks: 0 }
  clock = manualClock()
  exceeded = []
})

const processOf = (path: string): Machine['processes'][number] => machine.processes[Number(path.split('/')[0])] ?? { megabytes: 0 }

/** A process's number is its place in the list. */
const proc: Proc = {
  list: () => { throw new Error('ENOENT') },
  listDear: async (path) => {
    if (processOf(path).closed) throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
    return ['3', '4']
  },
  read: (path) => {
    const { megabytes, threads = 1 } = processOf(path)
    return `1 (x) S ${Array.from({ length: 16 }, () => 0).join(' ')} ${threads} 0 0 0 ${megabytes * 256} 0`
  },
  readDear: async (path) => {
    const { megabytes, share = megabytes, mapped = 0 } = processOf(path)
    return path.endsWith('/maps') ? `0-${(mapped * MB).toString(16)} rw-s 00000000 fe:00 7 /tmp/f (deleted)\n` : `Pss: ${share * 1024} kB\n`
  },
  open: (path) => {
    const [pid = '', , fd] = path.split('/')
    const { memfd = 0, deleted = 0 } = processOf(path)
    return fd === '3' ? { target: '/memfd:a (deleted)', file: `m${pid}`, bytes: memfd * MB } : { target: '/tmp/a (deleted)', file: `d${pid}`, bytes: deleted * MB }
  },
}

function sampler() {
  return createSampler({
    proc, pageBytes: 4096, limits, clock, group: undefined, members: () => [...machine.processes.keys()], exceeded: (what) => exceeded.push(what),
    disk: {
      free: () => ({ bytes: machine.free, files: machine.freeFiles }),
      walk: async () => { machine.walks++; return machine.files === undefined ? undefined : { bytes: machine.files, files: machine.count } },
    },
  })
}

/** All looks have been taken once, and rest. */
async function watched(watch: () => () => void): Promise<() => void> {
  const stop = watch()
  await clock.began(150, 2)
  await clock.began(1000, 1)
  return stop
}

it('tells when processes use too much together and go on to, and what they used at most', async () => {
  const { watch, peakBytes } = sampler()
  expect(peakBytes()).toBeUndefined()
  machine.processes = [{ megabytes: 40 }, { megabytes: 40 }]
  const stop = await watched(watch)
  machine.processes.push({ megabytes: 40 })
  await clock.advance(150)
  expect(exceeded).toEqual([])
  await clock.advance(200)
  expect(exceeded).toEqual(['memory'])
  machine.processes = []
  stop()
  expect(peakBytes()).toBe(120 * MB)
})

it('lets a moment pass that is over at the next look', async () => {
  machine.processes = [{ megabytes: 60 }, { megabytes: 60 }]
  const stop = sampler().watch()
  await clock.began(200, 1)
  machine.processes.pop()
  await clock.advance(1000)
  stop()
  expect(exceeded).toEqual([])
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
  await clock.advance(150)
  await clock.advance(200)
  stop()
  expect(exceeded).toEqual(['memory'])
})

it('tells of more processes than the kernel should have let through', async () => {
  machine.processes = [{ megabytes: 1, threads: 26 }]
  const stop = await watched(sampler().watch)
  machine.processes = [{ megabytes: 1, threads: 27 }]
  await clock.advance(150)
  await clock.advance(200)
  stop()
  expect(exceeded).toEqual(['processes'])
})

it('leaves all of it to the kernel where that counts, and tells of each kill', async () => {
  const figures = { bytes: 30 * MB, peakBytes: undefined, oomKills: 0 }
  machine.processes = [{ megabytes: 500, memfd: 500, threads: 99 }]
  const { watch, peakBytes } = createSampler({
    proc, pageBytes: 4096, limits, clock, group: { figures: () => figures }, disk: undefined, members: () => [0], exceeded: (what) => exceeded.push(what),
  })
  const stop = watch()
  await clock.began(150, 1)
  await clock.advance(2000)
  expect([exceeded, peakBytes()]).toEqual([[], 30 * MB])
  figures.oomKills = 2
  await clock.advance(2000)
  stop()
  expect(exceeded).toEqual(['memory'])
})

it('walks the disk where as much as is left to the run was written, by whomever', async () => {
  const { watch, settle } = sampler()
  const stop = await watched(watch)
  machine.free -= 49 * MB
  await clock.advance(3000)
  expect(machine.walks).toBe(0)
  machine.free -= 2 * MB
  machine.files = 20 * MB
  await clock.advance(150)
  expect([machine.walks, exceeded]).toEqual([1, []])
  stop()
  machine.free -= 31 * MB
  machine.files = 51 * MB
  await settle()
  expect(exceeded).toEqual(['disk'])
})

it('counts files, folders and links as well', async () => {
  const stop = await watched(sampler().watch)
  machine.freeFiles -= 20_000
  await clock.advance(150)
  expect([machine.walks, exceeded]).toEqual([1, []])
  machine.freeFiles -= 20_000
  machine.count = 20_000
  await clock.advance(150)
  stop()
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

it('takes a walk that fails twice for a run that makes it fail', async () => {
  const { settle } = sampler()
  Object.assign(machine, { free: machine.free - 60 * MB, files: undefined })
  await settle()
  expect(exceeded).toEqual([])
  await settle()
  expect(exceeded).toEqual(['disk'])
})

it('counts files that have no name any more, open or mapped', async () => {
  for (const held of [{ deleted: 60 }, { mapped: 60 }]) {
    machine.processes = [{ megabytes: 1, ...held }]
    const { settle } = sampler()
    machine.free -= 60 * MB
    await settle()
  }
  expect(exceeded).toEqual(['disk', 'disk'])
})

it('takes what the disk lacks for the run\'s only where the run hides what it holds', async () => {
  for (const closed of [false, true]) {
    machine.processes = [{ megabytes: 1, closed }]
    const { settle } = sampler()
    machine.free -= 60 * MB
    await settle()
    expect(exceeded).toEqual([])
    await settle()
    expect(exceeded).toEqual(closed ? ['disk'] : [])
  }
})

it('looks on while anybody watches, and no longer', async () => {
  const { watch } = sampler()
  const [one, two] = [await watched(watch), watch()]
  one()
  machine.processes = [{ megabytes: 101 }]
  await clock.advance(150)
  await clock.advance(200)
  expect(exceeded).toEqual(['memory'])
  two()
  await clock.advance(5000)
  expect(exceeded).toEqual(['memory'])
})
