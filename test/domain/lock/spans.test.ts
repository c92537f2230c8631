import '../../property-seed.ts'
import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { afterBlank, valueAt, type ValueSpan } from '../../../src/domain/lock/spans.ts'
import { repeatedPlaces, tomlPlaces } from '../../../src/domain/lock/toml-places.ts'
import { MuslinError } from '../../../src/errors.ts'

const word = fc.string({ unit: fc.constantFrom('a', '"', '\'', '\\', '\n', '#', ']', '}', ',', '=', '[', '{', 'é', ' '), maxLength: 8 })
const name = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/), word.filter((text) => text !== '' && !text.includes('.')))
const leaf = fc.oneof(word, fc.integer(), fc.boolean())
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(name, tie('any'), { maxKeys: 3, noNullPrototype: true })),
})).any

describe('a value is found to its last character', () => {
  test('in JSON, with all that is in it', () => {
    fc.assert(fc.property(value, fc.constantFrom(undefined, 4, '\t'), (given, indent) => {
      const text = `  ${JSON.stringify(given, null, indent)}`
      check(text, valueAt(text, 2), given)
      expect(valueAt(text, 2).end).toBe(text.length)
    }), { numRuns: 300 })
  })

  function check(text: string, span: ValueSpan, given: unknown): void {
    expect(JSON.parse(text.slice(span.start, span.end))).toEqual(given)
    if (Array.isArray(given)) given.forEach((each, index) => check(text, span.items![index]!, each))
    else if (typeof given === 'object' && given !== null) for (const [key, each] of Object.entries(given)) check(text, span.fields!.get(key)!, each)
  }

  test.each([
    '"a\\"b" x', '\'a\\\' x', '"""a"b\\"""" x', '\'\'\'a\'\'\'\' x', '""""""" x', '1979-05-27 07:32:00 # x', '+1_000.5e3, x', '[1, [2], # ]\n "]",] x', '{ a.b = "}", "c d" = \'#\' } x', 'true] x',
  ])('in TOML: %s', (text) => {
    const found = text.slice(0, valueAt(text, 0).end)
    expect(text.slice(found.length).trimStart().replace(/^[#,\]]\s*/, '')).toBe('x')
    expect(() => parse(`v = ${found}`)).not.toThrow()
  })

  test('but not endlessly deep', () => {
    expect(() => valueAt('['.repeat(1000), 0)).toThrow(MuslinError)
  })
})

test('the tables of a TOML text are found with all their keys', () => {
  const table = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true })
  fc.assert(fc.property(table.filter((each) => !('package' in each)), fc.array(table, { maxLength: 4 }), (root, packages) => {
    const text = stringify({ ...root, package: packages })
    const found = tomlPlaces(text)
    for (const { keys } of found) for (const span of keys.values()) expect(() => parse(`v = ${text.slice(span.start, span.end)}`)).not.toThrow()
    const places = repeatedPlaces(text, 'package')
    expect(places).toHaveLength(packages.length)
    const read = parse(text)['package'] as Record<string, unknown>[] | undefined ?? []
    for (const [index, { own }] of places.entries()) {
      for (const [key, span] of own.keys) expect(parse(`v = ${text.slice(span.start, span.end)}`)['v']).toEqual(read[index]![key])
    }
  }), { numRuns: 300 })
})

test('blanks end where something stands', () => {
  expect(afterBlank(' # a\r\n\t# b\n x', 0)).toBe(12)
  expect(afterBlank('# a', 0)).toBe(3)
})
