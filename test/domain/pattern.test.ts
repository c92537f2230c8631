import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { namesProject, namesVersion, parsePattern } from '../../src/domain/pattern.ts'
import { parseVersion } from '../../src/domain/version.ts'

const names = (text: string, project: string) => namesProject(parsePattern(text)!, project)
const version = (text: string, of: string | undefined) => namesVersion(parsePattern(text)!, of === undefined ? undefined : parseVersion(of))

describe('names', () => {
  test.each([
    ['numpy', 'numpy', true], ['numpy', 'numpy-base', false], ['NumPy', 'numpy', true], ['Foo._Bar', 'foo-bar', true],
    ['acme-*', 'acme-tools', true], ['acme-*', 'acme-', true], ['acme-*', 'acme', false], ['acme_*', 'acme-x', true], ['*', 'anything', true],
    ['*-stubs', 'types-stubs', true], ['*-stubs', 'stubs', false], ['a*a', 'a', false], ['a*a', 'aa', true], ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false], ['a*bc*c', 'abc', false], ['a*bc*c', 'abcc', true], ['**', 'x', true], ['a**b', 'ab', true],
  ])('%s and %s: %s', (text, project, expected) => { expect(names(text, project)).toBe(expected) })

  test('a star stands for what a regular expression would take for it', () => {
    const piece = fc.stringMatching(/^[ab*]{1,6}$/)
    fc.assert(fc.property(piece, fc.stringMatching(/^[ab]{1,8}$/), (text, project) => {
      expect(names(text, project)).toBe(new RegExp(`^${text.replaceAll('*', '.*')}$`).test(project))
    }))
  })
})

describe('versions', () => {
  test.each([
    ['django', '1.0', true], ['django', undefined, true], ['django<5', '4.2', true], ['django<5', '5.0', false], ['django<5', '5.0a1', false], ['django<5', '4.2rc1', true],
    ['django<5', undefined, undefined], ['torch==2.*', '2.7.1', true], ['torch==2.*', '3.0', false], ['torch == 2.0', '2.0.0+cpu', true], ['a>=1,<2', '1.5', true],
    ['a>=1,<2', '2.0', false], ['a!=1.5', '1.5', false], ['acme-*~=1.4', '1.9', true], ['x===1.0', '1.0', true],
  ])('%s and %s: %s', (text, of, expected) => { expect(version(text, of)).toBe(expected) })
})

test.each(['', '-x', 'x-', 'a b', 'a[extra]', 'a<', 'a==', 'a=1', 'a<1;python_version>"3"', 'a @ https://upstream.example/', '<5', 'ä', 'a,b', 'a==1.*.*', 'x'.repeat(501)])('%j is no pattern', (text) => {
  expect(parsePattern(text)).toBeUndefined()
})
