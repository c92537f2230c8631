import { expect, test } from 'vitest'
import { createExcerpt } from '../../src/builder/excerpt.ts'
import { fetchFailed } from '../../src/builder/fetch.ts'

test.each<[string, string, object | undefined]>([
  ['no wheel', 'ERROR: Could not find a version that satisfies the requirement foo>=3 (from versions: none)\nERROR: No matching distribution found for foo>=3\n', { class: 'build-requirement-unbuildable', key: 'foo>=3' }],
  ['no wheel for what another requires', 'ERROR: No matching distribution found for foo (from bar)', { class: 'build-requirement-unbuildable', key: 'foo' }],
  ['a conflict', 'ERROR: Cannot install cython<3 and numpy==2.0 because these package versions have conflicting dependencies.', { class: 'build-requirement-unbuildable', key: 'cython<3 and numpy==2.0' }],
  ['an index that does not answer', 'ERROR: No matching distribution found for foo\nfetch: Could not fetch URL http://h/finished/simple/foo/: connection error: refused - skipping', { class: 'infrastructure', key: expect.stringContaining('Could not fetch URL') }],
  ['a file that breaks off', 'ERROR: HTTP error 502 while getting http://h/files/x.whl', { class: 'infrastructure' }],
  ['a URL whose code would have run', 'PermissionError: nothing is run while requirements are fetched (subprocess.Popen)', { class: 'build-requirement-unbuildable' }],
  ['a URL that would have been connected to', 'RuntimeError: nothing but the index is asked while requirements are fetched (10.0.0.1)', { class: 'build-requirement-unbuildable', key: 'given as a URL' }],
  ['something else', 'Killed', undefined],
])('%s', (_, text, failure) => {
  if (failure) expect(fetchFailed(text)?.failure).toMatchObject(failure)
  else expect(fetchFailed(text)?.failure).toBeUndefined()
})

test('an excerpt keeps both ends of a long output', () => {
  const excerpt = createExcerpt()
  excerpt.add(Buffer.from('the cause\n'))
  for (let n = 0; n < 200; n++) excerpt.add(Buffer.alloc(100_000, 'x'))
  excerpt.add(Buffer.from('\nthe end'))
  const text = excerpt.text()
  expect(text.startsWith('the cause\n')).toBe(true)
  expect(text.endsWith('\nthe end')).toBe(true)
  expect(text).toContain('\n[...]\n')
  expect(text.length).toBeLessThan(8 << 20)
})

test('an excerpt of a short output is the output', () => {
  const excerpt = createExcerpt()
  excerpt.add(Buffer.alloc((1 << 20) - 1, 'x'))
  excerpt.add(Buffer.from('yz'))
  expect(excerpt.text()).toBe(`${'x'.repeat((1 << 20) - 1)}yz`)
})
