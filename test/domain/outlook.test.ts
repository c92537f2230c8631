import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { startTimes, type Queue } from '../../src/domain/outlook.ts'
import '../property-seed.ts'

function job(id: number, seconds: number, ...needs: number[]): Queue['queued'][number] {
  return { id, seconds, needs }
}

function starts(queue: Partial<Queue>): Record<string, number> {
  return Object.fromEntries(startTimes({ slots: 2, running: [], queued: [], ...queue }))
}

describe('when queued builds begin', () => {
  test('at once where a slot is free, then as soon as one is', () => {
    expect(starts({ queued: [job(1, 10), job(2, 30), job(3, 5), job(4, 5)] })).toEqual({ 1: 0, 2: 0, 3: 10, 4: 15 })
  })

  test('behind what runs', () => {
    expect(starts({ running: [{ id: 8, seconds: 40 }], queued: [job(1, 10), job(2, 10)] })).toEqual({ 1: 0, 2: 10 })
    expect(starts({ running: [{ id: 8, seconds: 40 }, { id: 9, seconds: 7 }], queued: [job(1, 10), job(2, 10)] })).toEqual({ 1: 7, 2: 17 })
    expect(starts({ slots: 1, running: [{ id: 8, seconds: 40 }, { id: 9, seconds: 7 }], queued: [job(1, 10)] }), 'more than it has').toEqual({ 1: 40 })
  })

  test('after what they wait for, and others go before them', () => {
    expect(starts({ queued: [job(1, 10, 2), job(2, 20), job(3, 100)] })).toEqual({ 2: 0, 3: 0, 1: 20 })
    expect(starts({ running: [{ id: 9, seconds: 50 }], queued: [job(1, 10, 9), job(2, 5)] })).toEqual({ 2: 0, 1: 50 })
    expect(starts({ slots: 1, queued: [job(1, 10, 2), job(2, 20, 3), job(3, 30)] })).toEqual({ 3: 0, 2: 30, 1: 50 })
  })

  test('nobody is left out, no more begin than there are slots, and whoever waits begins after what it needs', () => {
    const queues = fc.record({
      slots: fc.integer({ min: 1, max: 4 }),
      running: fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 3 }).map((list) => list.map((seconds, n) => ({ id: 1000 + n, seconds }))),
      queued: fc.array(fc.record({ seconds: fc.integer({ min: 1, max: 90 }), needs: fc.array(fc.nat(11), { maxLength: 2 }) }), { maxLength: 12 })
        .map((list) => list.map(({ seconds, needs }, id) => ({ id, seconds, needs: needs.filter((other) => other < id) }))),
    })
    fc.assert(fc.property(queues, ({ slots, running, queued }) => {
      const times = startTimes({ slots, running: running.slice(0, slots), queued })
      expect(times.size).toBe(queued.length)
      const spans = queued.map(({ id, seconds }) => [times.get(id)!, times.get(id)! + seconds] as const)
      for (const { id, needs } of queued) for (const other of needs) expect(times.get(id)).toBeGreaterThanOrEqual(spans[other]![1])
      for (const [at] of spans) expect(spans.filter(([from, to]) => from <= at && at < to).length).toBeLessThanOrEqual(slots)
    }))
  })
})
