import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isValidName, normalizeName, projectNamed } from '../../src/domain/names.ts'

test.each([
  ['PyYAML', 'pyyaml'], ['zope.interface', 'zope-interface'], ['Foo__Bar.-_baz', 'foo-bar-baz'], ['ruamel.yaml.clib', 'ruamel-yaml-clib'],
])('%s is looked up as %s', (name, normal) => expect(normalizeName(name)).toBe(normal))

describe('what is a name', () => {
  test.each(['a', '0', 'A.b-c_d', 'x'.repeat(200)])('%s is', (name) => expect(isValidName(name)).toBe(true))
  test.each(['', '-a', 'a-', '.a', 'a b', 'ä', 'a/b', '..', 'a\n', 'x'.repeat(201), '%2e'])('%j is not', (name) => expect(isValidName(name)).toBe(false))
})

test('a project that is named is the normal one; what is no name is told back, cut off', () => {
  expect(projectNamed('Zope.Interface')).toBe('zope-interface')
  expect(() => projectNamed('-'.repeat(70))).toThrow(expect.objectContaining({ code: 'bad-name', detail: `${'-'.repeat(60)} is no project name; names hold letters, digits, ".", "-" and "_"` }))
})

test('normalising twice changes nothing, and keeps a valid name valid', () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/), (name) => {
    expect(normalizeName(normalizeName(name))).toBe(normalizeName(name))
    if (isValidName(name)) expect(isValidName(normalizeName(name))).toBe(true)
  }))
})
