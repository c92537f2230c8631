import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateSeconds, estimateTogether } from '../../src/domain/estimate.ts'

test('the median of earlier builds counts before the size', () => {
  expect(estimateSeconds({ history: [400, 10, 30], sdistBytes: 50_000_000 })).toBe(30)
  expect(estimateSeconds({ history: [10, 31], sdistBytes: undefined })).toBe(21)
  expect(estimateSeconds({ history: [7.2], sdistBytes: undefined })).toBe(8)
})

test('a bigger sdist takes longer, and none takes for ever', () => {
  const of = (sdistBytes: number | undefined) => estimateSeconds({ history: [], sdistBytes })
  expect(of(0)).toBeGreaterThan(5)
  expect(of(20_000_000)).toBeGreaterThan(of(100_000))
  expect(of(undefined)).toBeLessThan(60)
  expect(of(1e15)).toBe(3600)
})

test('together they take their sum by the builders, and no less than the longest', () => {
  expect(estimateTogether([], 2)).toBe(0)
  expect(estimateTogether([10, 20, 30], 2)).toBe(30)
  expect(estimateTogether([10, 10, 10, 10], 2)).toBe(20)
  expect(estimateTogether([10], 0)).toBe(10)
  fc.assert(fc.property(fc.array(fc.nat(10_000)), fc.integer({ min: 1, max: 64 }), (seconds, builders) => {
    const together = estimateTogether(seconds, builders)
    expect(together).toBeGreaterThanOrEqual(Math.max(0, ...seconds))
    expect(together).toBeLessThanOrEqual(Math.max(0, seconds.reduce((a, b) => a + b, 0)))
  }))
})
