import { expect, test } from 'vitest'
import { otherOwner, ownersOf, servedAs } from '../../src/domain/owner.ts'

const listed = (...projects: string[]) => projects.map((project) => ({ project, metadata: project as string | undefined }))
const owners = (filename: string, ...projects: string[]) => ownersOf(filename, listed(...projects)).map(({ project }) => project)

test('a file is that of the projects whose name it has, and of all who list it where it is nobody\'s', () => {
  expect(owners('A_b-1.0-py3-none-any.whl', 'evil', 'a-b')).toEqual(['a-b'])
  expect(owners('a-b-1.0.tar.gz', 'evil', 'a', 'a-b')).toEqual(['a-b'])
  expect(owners('a-1-2.zip', 'evil', 'a', 'a-1')).toEqual(['a', 'a-1'])
  expect(owners('a-1.0-py3-none-any.whl', 'evil')).toEqual(['evil'])
  expect(owners('a-1.0-py2.7.egg', 'evil', 'a')).toEqual(['evil', 'a'])
  expect(owners('Imaging-1.1.6.tar.gz', 'pil', 'pillow')).toEqual(['pil', 'pillow'])
})

test('it is served as the first of them lists it, but with no METADATA on which they disagree', () => {
  expect(servedAs('a-1.0.zip', [])).toBeUndefined()
  expect(servedAs('a-1-2.zip', listed('evil', 'a'))).toEqual({ project: 'a', metadata: 'a' })
  expect(servedAs('a-1-2.zip', listed('a', 'a-1', 'evil'))).toEqual({ project: 'a', metadata: undefined })
})

test.each([
  ['a-1.0-py3-none-any.whl', 'a', undefined], ['A.b_C-1.0-py3-none-any.whl', 'a-b-c', undefined], ['A_b-1.0-py3-none-any.whl', 'evil', 'a-b'],
  ['a-1.0.tar.gz', 'evil', undefined], ['a.whl', 'evil', undefined], ['.whl', '', undefined],
])('%s on the page of %s is of another project: %s', (filename, project, other) => {
  expect(otherOwner(filename, project)).toBe(other)
})
