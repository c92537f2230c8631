import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createListScanner } from '../../src/domain/list-scan.ts'

function scan(text: string | Buffer, piece = 7): { names: string[]; version: string | undefined } {
  const bytes = Buffer.from(text)
  const scanner = createListScanner()
  const names: string[] = []
  for (let at = 0; at < bytes.length; at += piece) names.push(...scanner.push(bytes.subarray(at, at + piece)))
  scanner.end()
  return { names, version: scanner.version() }
}

test.each([1, 2, 7, 1000])('in pieces of %d bytes', (piece) => {
  const list = { 'x': [{ name: 'not this' }], 'meta': { 'api-version': '1.4', 'deep': { meta: { 'api-version': '9.9' } } }, 'y': 'projects', 'projects': [{ name: 'Foo.Bar', more: { name: 'nor this' } }, { '_last-serial': 7, 'name': 'ünï"\\}]' }], 'z': { projects: [{ name: 'nor that' }] } }
  for (const text of [JSON.stringify(list), JSON.stringify(list, null, 2), JSON.stringify(list).replaceAll('ü', '\\u00fc')]) {
    expect(scan(text, piece)).toEqual({ names: ['Foo.Bar', 'ünï"\\}]'], version: '1.4' })
  }
})

test('the version may come last, or not at all', () => {
  expect(scan('{"projects":[{"name":"a"}],"meta":{"api-version":"1.1"}}')).toEqual({ names: ['a'], version: '1.1' })
  expect(scan('{"projects":[]}')).toEqual({ names: [], version: undefined })
})

test('a project without a name that is text is passed over', () => {
  expect(scan('{"projects":[{"name":"a","name":"b","x":"c"},{"name":"c","name":1}]}').names).toEqual(['b'])
  expect(scan('{"projects":[{},{"name":null},{"name":{"name":"x"}},["name"],"name",7,null,{"name":"a"}]}').names).toEqual(['a'])
})

test.each([
  '', '[]', '"projects"', '{', '{"meta":{}}', '{"projects":{}}', '{"projects":[', '{"projects":[{"name":"a"}]', '{"projects":[}]', '{"projects":[]}}', '{"projects":[]}{"projects":[]}', '{"projects":[]} x',
  '<html></html>', '{"meta":{"api-version":"2.0"},"projects":[]}', '{"projects":["', `{"x":${'['.repeat(200)}`, `{"projects":[{"name":"${'a'.repeat(70_000)}`,
])('%s is refused', (text) => {
  expect(() => scan(text, 1000)).toThrow(expect.objectContaining({ code: 'upstream-bad-answer' }))
})

test('whatever the names are, and however the text is cut', () => {
  const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '}]', '\n'))
  fc.assert(fc.property(fc.array(fc.record({ name }, { requiredKeys: [] })), fc.integer({ min: 1, max: 60 }), (projects, piece) => {
    expect(scan(JSON.stringify({ projects }), piece).names).toEqual(projects.flatMap(({ name: each }) => each ?? []))
  }))
})
