import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalRequirement } from '../../src/domain/requirement.ts'
import vectors from './vectors/requirements.json' with { type: 'json' }

describe('as packaging spells it', () => {
  test.each(Object.entries(vectors))('%j', (text, canonical) => expect(canonicalRequirement(text) ?? null).toBe(canonical))
})

test('extras are normalised wherever they stand in a marker', () => {
  expect(canonicalRequirement("foo; os_name == 'nt' and 'A.B' == extra")).toBe('foo; os_name == "nt" and "a-b" == extra')
})

test('what stands first behind the @ is the URL, even a semicolon', () => {
  expect(canonicalRequirement('foo@;')).toBe('foo @ ;')
  expect(canonicalRequirement('foo @ ;')).toBe('foo @ ;')
  expect(canonicalRequirement('foo @ ;x  ; extra == "a"')).toBe('foo @ ;x; extra == "a"')
})

test('no text makes it throw, and a canonical one stays as it is', () => {
  const likely = fc.stringMatching(/^[a-z]{1,3} ?(\[x\])? ?[<>=!~]{0,2}[0-9.]{0,3} ?;? ?[a-z_('"]{0,9} ?(==|in|and|or)? ?["'a-z)]{0,9}$/)
  fc.assert(fc.property(fc.oneof(fc.string(), likely), (text) => {
    const canonical = canonicalRequirement(text)
    if (canonical !== undefined) expect(canonicalRequirement(canonical)).toBe(canonical)
  }), { numRuns: 500 })
})

test('parentheses without end are refused', () => {
  expect(canonicalRequirement(`foo; ${'('.repeat(100_000)}`)).toBeUndefined()
  expect(canonicalRequirement(`foo; ${'('.repeat(1_900)}`)).toBeUndefined()
})
