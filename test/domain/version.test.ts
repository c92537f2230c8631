import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalVersion, compareVersions, formatVersion, parseVersion, type Version } from '../../src/domain/version.ts'
import vectors from './vectors/versions.json' with { type: 'json' }

const number = fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 10n ** 20n }))
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const version: fc.Arbitrary<Version> = fc.record({
  epoch: fc.bigInt({ min: 0n, max: 1n }),
  release: fc.array(number, { minLength: 1, maxLength: 4 }),
  pre: optional(fc.record({ label: fc.constantFrom('a' as const, 'b' as const, 'rc' as const), number })),
  post: optional(number),
  dev: optional(number),
  local: optional(fc.array(fc.oneof(number, fc.constantFrom('a', 'ab', 'b', '1a')), { minLength: 1, maxLength: 3 })),
})

describe('as packaging reads it', () => {
  test.each(vectors.ordered)('$text is $canonical', ({ text, canonical }) => expect(canonicalVersion(text)).toBe(canonical))

  test.each(vectors.invalid)('%j is no version', (text) => expect(parseVersion(text)).toBeUndefined())

  test('every pair is in the same order', () => {
    for (const a of vectors.ordered) {
      for (const b of vectors.ordered) {
        const order = Math.sign(compareVersions(parseVersion(a.text)!, parseVersion(b.text)!))
        expect(order, `${a.text} against ${b.text}`).toBe(Math.sign(a.rank - b.rank))
      }
    }
  })
})

describe('for any versions', () => {
  test('the canonical spelling reads back as the same version', () => {
    fc.assert(fc.property(version, (one) => {
      expect(parseVersion(formatVersion(one))).toEqual(one)
    }))
  })

  test('the order is total', () => {
    fc.assert(fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0)
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
      if (compareVersions(a, b) === 0) expect(Math.sign(compareVersions(a, c))).toBe(Math.sign(compareVersions(b, c)))
    }), { numRuns: 500 })
  })
})

test('a text of any length is judged at once', () => {
  expect(parseVersion('1'.repeat(100_000))).toBeUndefined()
  expect(parseVersion(`1.0+${'a.'.repeat(50_000)}`)).toBeUndefined()
})
