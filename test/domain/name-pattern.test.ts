import { expect, test } from 'vitest'
import { nameMatcher } from '../../src/domain/name-pattern.ts'

test.each<[string, string, boolean]>([
  ['company-*', 'company-db', true], ['Company_*', 'company-db', true], ['company-*', 'company', false], ['company*', 'company', true], ['*', 'six', true], ['*-stubs', 'types-stubs', true], ['*-stubs', 'stubs', false],
  ['a*b*c', 'a-xb-yc', true], ['a*b*c', 'acb', false], ['a*a', 'a', false], ['a*a', 'aa', true], ['six', 'six', true], ['six', 'sixer', false], ['zope.*', 'zope-interface', true], ['a*ab', 'aab', true], ['a*bc*c', 'abc', false],
])('%s and %s: %s', (pattern, project, fits) => { expect(nameMatcher([pattern])(project)).toBe(fits) })

test('one of several is enough, and none fits nothing', () => {
  expect(nameMatcher(['a', 'b-*'])('b-x')).toBe(true)
  expect(nameMatcher([])('a')).toBe(false)
})
