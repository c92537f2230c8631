import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalSpecifiers, parseSpecifiers, satisfies } from '../../src/domain/specifier.ts'
import { parseVersion } from '../../src/domain/version.ts'
import vectors from './vectors/specifiers.json' with { type: 'json' }

const judged = Object.entries(vectors.judged)
const versions = vectors.versions.map((text) => parseVersion(text)!)

/** The versions that fit, as packaging's bits say and as we say: names make a failure readable. */
const named = (bits: string) => vectors.versions.filter((_, i) => bits[i] === '1')
const fitting = (text: string, options?: { prereleases: boolean }) => vectors.versions.filter((_, i) => satisfies(parseSpecifiers(text)!, versions[i]!, options))

describe('as packaging judges it', () => {
  test.each(judged.filter(([, bits]) => bits))('%j', (text, bits) => {
    expect(fitting(text)).toEqual(named(bits!.default))
    expect(fitting(text, { prereleases: true })).toEqual(named(bits!.prereleases))
  })

  test.each(judged.filter(([, bits]) => !bits))('%j is malformed', (text) => expect(parseSpecifiers(text)).toBeUndefined())
})

test('with prereleases false even a named one does not fit', () => {
  expect(satisfies(parseSpecifiers('>=1.0a1')!, parseVersion('1.0a2')!, { prereleases: false })).toBe(false)
})

test.each([
  ['>=1.0,<2', '< 2.0 , >= 1', true], ['==1.0', '==1', true], ['~=1.0', '~=1.0.0', false], ['>=1', '>1', false], ['>=1,>=1.0', '>=1', true], ['==1.*', '==1.0.*', false],
])('%s and %s are the same set: %s', (a, b, same) => {
  expect(canonicalSpecifiers(parseSpecifiers(a)!) === canonicalSpecifiers(parseSpecifiers(b)!)).toBe(same)
})

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[=~!<>]{1,3}[0-9.*a-z+!, -]{0,20}$/)), (text) => {
    const set = parseSpecifiers(text)
    if (set) for (const one of versions.slice(0, 5)) satisfies(set, one)
  }))
})
