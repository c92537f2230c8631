import { describe, expect, test } from 'vitest'
import { expectedBytes, roomBeside } from '../../src/domain/sizing.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const WORKER = { budget: 16 * GIB, limit: 4 * GIB }

describe('the memory that a build is expected to take', () => {
  test.each([
    ['a third more than last time', 1 * GIB, Math.ceil(1.3 * GIB)],
    ['never less than a small one', 10 * MIB, 256 * MIB],
    ['never more than it may', 3.9 * GIB, 4 * GIB],
    ['unless a recipe let it have more', 6 * GIB, 6 * GIB],
    ['a quarter of all where nobody knows', undefined, 4 * GIB],
  ])('%s', (_how, peak, bytes) => {
    expect(expectedBytes('build', peak, WORKER)).toBe(bytes)
  })

  test('of one that nobody knows, no more than it may, and no less than a small one', () => {
    expect(expectedBytes('build', undefined, { budget: 64 * GIB, limit: 4 * GIB })).toBe(4 * GIB)
    expect(expectedBytes('trial', undefined, { budget: 512 * MIB, limit: 4 * GIB })).toBe(256 * MIB)
    expect(expectedBytes('rebuild', undefined, { budget: 8 * GIB, limit: 4 * GIB })).toBe(2 * GIB)
  })

  test('metadata counts as nothing', () => {
    expect(expectedBytes('metadata', 3 * GIB, WORKER)).toBe(0)
  })
})

test('room is what the others leave; where nobody is, anything fits', () => {
  expect(roomBeside([2 * GIB, 3 * GIB], WORKER)).toEqual({ ...WORKER, free: 11 * GIB })
  for (const running of [[], [0]]) expect(roomBeside(running, WORKER).free).toBe(Number.POSITIVE_INFINITY)
})
