import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { markerEnvironment } from '../../src/domain/marker-environment.ts'
import { evaluateMarker } from '../../src/domain/markers.ts'
import { parseTarget } from '../../src/domain/target.ts'
import vectors from './vectors/markers.json' with { type: 'json' }

const environment = markerEnvironment(parseTarget('cp313-musllinux_1_2_x86_64')!)

test('the environment of a target is the one that the vectors were made in', () => {
  expect(environment).toEqual(vectors.environment)
  expect(markerEnvironment(parseTarget('cp39-musllinux_1_1_aarch64')!)).toMatchObject({ python_version: '3.9', python_full_version: '3.9.99', platform_machine: 'aarch64' })
})

describe('as packaging judges', () => {
  test.each(Object.entries(vectors.judged))('%j', (text, judged) => {
    const ours = vectors.extras.map((extra) => evaluateMarker(text, environment, extra === '' ? [] : [extra]) ?? null)
    expect(ours).toEqual(judged)
  })

  test.each(Object.entries(vectors.locked))('in a lock: %j', (text, judged) => {
    expect(evaluateMarker(text, environment, vectors.extras.slice(1), vectors.groups) ?? null).toBe(judged)
  })
})

test('of several extras each is asked for', () => {
  expect(evaluateMarker("extra == 'a' and extra == 'b' and extra != 'c'", environment, ['A', 'b'])).toBe(true)
  expect(evaluateMarker("extra != 'a'", environment, ['a', 'b'])).toBe(false)
})

test('sets are asked by membership alone', () => {
  expect(evaluateMarker("extras == 'a'", environment, ['a'])).toBeUndefined()
  expect(evaluateMarker("extra in 'a b'", environment, ['a'])).toBeUndefined()
})

describe('hostile ones', () => {
  test.each([
    ['parentheses without end', '('.repeat(99_000)],
    ['closed ones', `${'('.repeat(40_000)}os_name == 'x'${')'.repeat(40_000)}`],
    ['quotes', '"'.repeat(99_999)],
    ['nots', 'not '.repeat(24_000)],
    ['spaces', `os_name not${' '.repeat(99_000)}`],
    ['a long one', 'os_name == "x" or '.repeat(60_000)],
  ])('%s are refused at once', (_, text) => {
    const start = performance.now()
    expect(evaluateMarker(text, environment)).toBeUndefined()
    expect(performance.now() - start).toBeLessThan(500)
  })

  test('a long sound one is judged', () => {
    expect(evaluateMarker(`${'os_name == "x" or '.repeat(5_000)}os_name == "posix"`, environment)).toBe(true)
  })

  test('no text makes it throw', () => {
    const word = fc.constantFrom('(', ')', 'and', 'or', 'not', 'in', '==', '<', '~=', '"3"', "'x'", 'os_name', 'extra', 'extras', 'python_version', '"', ' ')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(word).map((words) => words.join(' '))), (text) => {
      expect([true, false, undefined]).toContain(evaluateMarker(text, environment, ['x'], ['x']))
    }), { numRuns: 500 })
  })
})
