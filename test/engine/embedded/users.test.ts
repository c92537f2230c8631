import { expect, it } from 'vitest'
import { freeUser } from '../../../src/engine/embedded/users.ts'

const lowest = (first: number) => first
const all = '         0          0 4294967295\n'

it('takes a user that is nobody\'s, and another one for each run', () => {
  const one = freeUser(all, new Set()) ?? 0
  expect(one).toBeGreaterThanOrEqual(2_010_000_000)
  expect(one).toBeLessThan(2 ** 31 - 1)
  let next = 2_010_000_000
  expect(freeUser(all, new Set([2_010_000_000, 2_010_000_001]), () => next++)).toBe(2_010_000_002)
})

it('takes one of those that a container has', () => {
  expect(freeUser('0 100000 65536\n', new Set(), lowest)).toBe(20_000)
  expect(freeUser('         0       1000          1\n         1     100000      65536\n', new Set(), lowest)).toBe(20_000)
  expect(freeUser('0 1000 1\n', new Set())).toBeUndefined()
  expect(freeUser('0 1000 20050\n', new Set())).toBeUndefined()
})
