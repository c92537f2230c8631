import { expect, test } from 'vitest'
import { didYouMean, nearest } from '../../src/config/nearest.ts'

const known = ['port', 'publicUrl', 'limits.memory', 'workers']

test.each([['prot', 'port'], ['public-url', 'publicUrl'], ['limits_memori', 'limits.memory'], ['worker', 'workers'], ['PORT', 'port']])('%s is near %s', (name, found) => {
  expect(nearest(name, known)).toBe(found)
})

test('nothing is near a name that resembles none', () => {
  expect(nearest('isolation', known)).toBeUndefined()
  expect(didYouMean('isolation', known)).toBe('')
})
