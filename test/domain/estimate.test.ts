import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateSeconds, estimateSources, estimateTogether, remainingSeconds } from '../../src/domain/estimate.ts'

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

test.each([
  ['queued', 30, 10, 0, 40], ['queued', 30, 0, 0, 30], ['queued', 30, null, 0, null], ['queued', null, 10, 0, null],
  ['running', 30, null, 10, 20], ['running', 30, null, 30, null], ['running', 30, null, 90, null], ['running', null, null, 10, null],
  ['built', 30, null, 10, null], ['failed', 30, null, 10, null], ['cancelled', 30, null, 10, null],
] as const)('%s, expected to take %s s, to begin in %s s, since %s s: %s s are left', (state, expected, startsIn, spent, left) => {
  expect(remainingSeconds({ state, expected, startsIn, spent })).toBe(left)
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

test('what was read tells more: languages, templates, crates, and what Cython has made already', () => {
  const of = (sources: Parameters<typeof estimateSources>[0], more: Partial<Parameters<typeof estimateSources>[1]> = {}) => estimateSources(sources, { languages: ['c'], requires: [], crates: 0, ...more })
  const file = (ending: string, bytes = 50_000, files = 1) => ({ ending, files, bytes })
  expect(of([])).toBe(0)
  expect(of([file('.c')])).toBeLessThan(of([file('.cpp')]))
  expect(of([file('.cpp')])).toBeLessThan(of([file('.cpp')], { requires: ['pybind11>=2'] }))
  expect(of([file('.pyx')])).toBeGreaterThan(of([file('.pyx'), file('.c', 1_000_000)]))
  expect(of([file('.cpp', 100_000_000)])).toBeLessThan(60)
  expect(of([file('.rs', 1e6)])).toBe(0)
  expect(of([file('.rs', 1e6)], { languages: ['c', 'rust'], crates: 100 })).toBeGreaterThan(150)
  expect(of([file('.cc', 1e9, 20_000)])).toBe(3600)
})

// Seconds that these took on two cores that others used too, beyond what every build takes.
test.each<[string, Parameters<typeof estimateSources>[0], string[], number]>([
  ['numpy 2.3.5', [{ ending: '.c', files: 174, bytes: 8_089_000 }, { ending: '.cc', files: 66, bytes: 508_000 }, { ending: '.cpp', files: 32, bytes: 747_000 }, { ending: '.pyx', files: 10, bytes: 511_000 }, { ending: '.s', files: 111, bytes: 4_679_000 }], ['meson-python', 'Cython'], 523],
  ['contourpy 1.4.0', [{ ending: '.cpp', files: 14, bytes: 175_000 }], ['meson-python', 'pybind11'], 149],
  ['asyncpg 0.32.0', [{ ending: '.c', files: 3, bytes: 7_747_000 }, { ending: '.pyx', files: 33, bytes: 291_000 }], ['setuptools', 'Cython'], 57],
  ['zstd 1.5.5.1', [{ ending: '.c', files: 34, bytes: 2_099_000 }, { ending: '.s', files: 1, bytes: 14_000 }], ['setuptools'], 39],
  ['protobuf 7.36.2', [{ ending: '.c', files: 82, bytes: 1_137_000 }], ['setuptools'], 27],
])('%s is guessed within twice and half of what it took', (_, sources, requires, took) => {
  const guess = estimateSources(sources, { languages: ['c'], requires, crates: 0 })
  expect(guess).toBeGreaterThan(took / 2)
  expect(guess).toBeLessThan(took * 2)
})
