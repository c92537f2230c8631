import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isStatic, parseMetadata, sameForInstallers } from '../../src/domain/metadata.ts'

const METADATA = `Metadata-Version: 2.2
Name: Foo.Bar
Version: 1.0
Summary: says: much
License: first line
        second line

        third after a blank one is body
`

const text = (...fields: string[]) => ['Metadata-Version: 2.2', 'Name: foo', 'Version: 1.0', ...fields, '', 'the body', 'Name: other'].join('\n')

describe('reading', () => {
  test('fields, folded lines and the body', () => {
    const metadata = parseMetadata(METADATA)
    expect(metadata).toMatchObject({ name: 'Foo.Bar', version: '1.0', metadataVersion: '2.2', requiresPython: undefined, requiresDist: [], providesExtra: [], dynamic: [] })
    expect(metadata.headers.get('summary')).toEqual(['says: much'])
    expect(metadata.headers.get('license')).toEqual(['first line\n        second line'])
    expect(metadata.body).toBe('        third after a blank one is body\n')
  })

  test('fields that come more than once, in any case, with any line end', () => {
    const metadata = parseMetadata('NAME: foo\r\nRequires-Dist: a>=1\r\nRequires-Dist: b;\r\n  extra == "x"\r\nrequires-python: >=3.8\r\nProvides-Extra: x\r\nDynamic: Version\r\n\r\nbody')
    expect(metadata).toMatchObject({
      name: 'foo', requiresDist: ['a>=1', 'b; extra == "x"'], requiresPython: '>=3.8', providesExtra: ['x'], dynamic: ['Version'], body: 'body',
    })
  })

  test('what is in the body is no field, and neither is what follows a line that is none', () => {
    expect(parseMetadata(text()).name).toBe('foo')
    expect(parseMetadata('Name: foo\nno field here\nVersion: 1')).toMatchObject({ version: '', body: 'no field here\nVersion: 1' })
  })

  test('a long run of spaces is no work', () => {
    const requirement = `a${' '.repeat(200_000)}b`
    expect(parseMetadata(`Requires-Dist: ${requirement}\n`).requiresDist).toEqual([requirement])
  })

  test('nothing makes it throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^([A-Za-z-]{1,8}: ?[^\n]{0,9}\n[ \t]?){0,6}$/)), (any) => {
      const metadata = parseMetadata(any)
      expect(sameForInstallers(metadata, metadata)).toBe(true)
    }))
  })
})

describe('what pip compares', () => {
  const base = parseMetadata(text('Requires-Dist: A.b>=1', "Requires-Dist: c; extra == 'X_y'", 'Requires-Python: >=3.8, <4', 'Provides-Extra: X_y', 'Summary: one'))

  test.each([
    ['spelling', text('Requires-Dist: c ; extra=="x-y"', 'Requires-Dist: a-b >= 1', 'Requires-Python: <4,>=3.8.0', 'Provides-Extra: x-y', 'Summary: two')],
    ['doubles', text('Requires-Dist: a-b>=1', 'Requires-Dist: a-b>=1', 'Requires-Dist: c; extra == "x-y"', 'Requires-Python: >=3.8,<4', 'Provides-Extra: x-y', 'Provides-Extra: X_Y')],
    ['name and version', text('Requires-Dist: A.b>=1', "Requires-Dist: c; extra == 'X_y'", 'Requires-Python: >=3.8,<4', 'Provides-Extra: X_y').replace('foo', 'Foo').replace('1.0', 'v1.0.0')],
  ])('%s is no difference', (_, other) => expect(sameForInstallers(base, parseMetadata(other))).toBe(true))

  const changed = (from: string, to: string) => text('Requires-Dist: a-b>=1', 'Requires-Dist: c; extra == "x-y"', 'Requires-Python: >=3.8,<4', 'Provides-Extra: x-y').replace(from, to)
  test.each([
    ['Name', 'Name: foo', 'Name: bar'], ['Version', 'Version: 1.0', 'Version: 1.1'], ['a requirement more', 'Requires-Python', 'Requires-Dist: d\nRequires-Python'],
    ['a requirement less', 'Requires-Dist: a-b>=1\n', ''], ['a version in it', 'a-b>=1', 'a-b>=1.0'], ['a marker', 'extra == "x-y"', 'extra == "z"'],
    ['Requires-Python', '>=3.8,<4', '>=3.8'], ['Provides-Extra', 'Provides-Extra: x-y', 'Provides-Extra: z'],
  ])('%s is one', (_, from, to) => {
    expect(sameForInstallers(base, parseMetadata(changed('', '')))).toBe(true)
    expect(sameForInstallers(base, parseMetadata(changed(from, to)))).toBe(false)
  })
})

describe('static metadata', () => {
  test.each([
    ['2.2', [], true], ['2.4', ['Dynamic: License'], true], ['3.0', [], true], ['2.1', [], false], ['1.2', [], false], ['2.10', [], true], ['', [], false],
    ['2.2', ['Dynamic: Requires-Dist'], false], ['2.2', ['Dynamic: requires-python'], false], ['2.2', ['Dynamic: Provides-Extra'], false], ['2.2', ['Dynamic: Version'], false],
  ])('version %s with %j: %s', (version, fields, expected) => {
    expect(isStatic(parseMetadata(text(...fields).replace('2.2', version)))).toBe(expected)
  })
  test('without a name or version there is none', () => {
    expect(isStatic(parseMetadata('Metadata-Version: 2.2\nName: foo\n'))).toBe(false)
  })
})
