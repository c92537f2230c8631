import { expect, test } from 'vitest'
import { lastOf } from '../../src/services/last-of.ts'

test('the last that were set or asked for are known, and no more', () => {
  const known = lastOf<number>(3)
  for (const [at, name] of ['a', 'b', 'c'].entries()) known.set(name, at)
  expect(known.get('a')).toBe(0)
  known.set('d', 3)
  expect([...known.keys()].sort()).toEqual(['a', 'c', 'd'])
  known.set('c', 7)
  expect([known.size, known.get('c'), known.get('b')]).toEqual([3, 7, undefined])
})

test('it takes room for what it holds alone', () => {
  const before = process.memoryUsage().heapUsed
  const many = Array.from({ length: 200 }, () => lastOf<number>(50_000))
  // With room for all from the start it would be 200 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
  expect(many.every(({ size }) => size === 0)).toBe(true)
})
