import { expect, test } from 'vitest'
import type { Job, JobState } from '../../src/domain/job.ts'
import { createJobEvents } from '../../src/services/job-events.ts'
import type { JobStore } from '../../src/services/ports.ts'

/** The two methods that are used, over a table of states. */
function table(states: Record<number, JobState>) {
  const watchers = new Set<() => void>()
  let reads = 0
  const jobs = {
    async get(id: number) {
      reads += 1
      return states[id] === undefined ? undefined : { id, state: states[id] } as Job
    },
    watch(changed: () => void) {
      watchers.add(changed)
      return () => { watchers.delete(changed) }
    },
  } as JobStore
  const set = (id: number, state: JobState) => {
    states[id] = state
    for (const changed of watchers) changed()
  }
  return { jobs, set, watchers, reads: () => reads }
}

const never = new AbortController().signal

test('all who wait for a job are told by one watcher, which ends with them', async () => {
  const { jobs, set, watchers } = table({ 1: 'queued', 2: 'running' })
  const { settled } = createJobEvents({ jobs })
  const waits = [settled(1, never), settled(1, never), settled(2, never)]
  expect(watchers.size).toBe(1)
  set(1, 'running')
  set(2, 'failed')
  set(1, 'built')
  expect((await Promise.all(waits)).map(({ state }) => state)).toEqual(['built', 'built', 'failed'])
  expect(watchers.size).toBe(0)
})

test('a job that is settled already is told at once', async () => {
  const { settled } = createJobEvents({ jobs: table({ 1: 'cancelled' }).jobs })
  expect((await settled(1, never)).state).toBe('cancelled')
})

test('who leaves is forgotten, the others are told', async () => {
  const { jobs, set, watchers } = table({ 1: 'queued' })
  const { settled } = createJobEvents({ jobs })
  const leaving = new AbortController()
  const left = settled(1, leaving.signal)
  const stayed = settled(1, never)
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  await expect(settled(1, leaving.signal)).rejects.toThrow('gone')
  set(1, 'built')
  expect((await stayed).state).toBe('built')
  expect(watchers.size).toBe(0)
})

test('a thousand who wait cost one read a change', async () => {
  const { jobs, set, reads } = table({ 1: 'queued' })
  const { settled } = createJobEvents({ jobs })
  const waits = Array.from({ length: 1000 }, () => settled(1, never))
  await Promise.resolve()
  set(1, 'built')
  await Promise.all(waits)
  expect(reads()).toBeLessThan(10)
})

test('a job that is gone, or a table that cannot be read, ends the wait', async () => {
  const { jobs } = table({})
  await expect(createJobEvents({ jobs }).settled(9, never)).rejects.toThrow('gone')
  const broken = { ...jobs, get: async () => { throw new Error('disk') } } as unknown as JobStore
  await expect(createJobEvents({ jobs: broken }).settled(1, never)).rejects.toThrow('disk')
})
