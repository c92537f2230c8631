import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSdistFilename, parseWheelFilename } from '../../src/domain/filename.ts'
import { canonicalVersion } from '../../src/domain/version.ts'
import vectors from './vectors/filenames.json' with { type: 'json' }

test.each(Object.entries(vectors))('%s, as packaging reads it', (filename, expected) => {
  const wheel = parseWheelFilename(filename)
  const tags = wheel?.pythons.flatMap((python) => wheel.abis.flatMap((abi) => wheel.platforms.map((platform) => `${python}-${abi}-${platform}`)))
  const seen = wheel && { project: wheel.project, version: canonicalVersion(wheel.version), build: wheel.build ?? '', tags: tags?.toSorted() }
  expect(seen ?? null).toEqual(expected)
})

test('the name stays as written beside the normalised one', () => {
  expect(parseWheelFilename('Foo_Bar-1.0-py3-none-any.whl')).toMatchObject({ name: 'Foo_Bar', project: 'foo-bar', version: '1.0' })
})

describe('sdists', () => {
  test.each([
    ['PyYAML-6.0.tar.gz', 'pyyaml', '6.0'],
    ['foo-bar-1.0.zip', 'foo-bar', '1.0'],
    ['foo_bar-1.0.tar.gz', 'Foo.Bar', '1.0'],
    ['foo-1.0-1.tar.gz', 'foo', '1.0-1'],
    ['foo-2-1.0.tar.gz', 'foo-2', '1.0'],
    ['foo-1.0rc1.tar.gz', 'foo', '1.0rc1'],
    ['foo-1.0.tgz', 'foo', '1.0'], ['foo-1.0.tar.bz2', 'foo', '1.0'], ['foo-1.0.tbz', 'foo', '1.0'], ['foo-1.0.tar.xz', 'foo', '1.0'], ['foo-1.0.txz', 'foo', '1.0'], ['foo-1.0.tar', 'foo', '1.0'],
  ])('%s of %s is version %s', (filename, project, version) => expect(parseSdistFilename(filename, project)).toEqual({ version }))

  test.each([
    ['foo-1.0.tar.Z', 'foo'], ['foo-1.0.tar.lzma', 'foo'], ['foo-1.0.7z', 'foo'], ['foo-1.0.whl', 'foo'], ['foo-1.0.exe', 'foo'], ['foo-1.0.tar.gz', 'bar'], ['foo-abc.tar.gz', 'foo'], ['foo.tar.gz', 'foo'],
    ['foo-bar-1.0.tar.gz', 'foo'], ['.tar.gz', ''], [`foo-1.${'0'.repeat(255)}.tar.gz`, 'foo'], ['foo-1.0.TAR.GZ', 'foo'],
  ])('%s is no sdist of %s', (filename, project) => expect(parseSdistFilename(filename, project)).toBeUndefined())
})

test('no file name makes it throw', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    parseWheelFilename(`${a}-${b}.whl`)
    parseSdistFilename(`${a}-${b}.tar.gz`, a)
  }))
})

test('a name that is too long is none', () => {
  expect(parseWheelFilename(`foo-1.0-py3-none-${'any.'.repeat(60)}any.whl`)).toBeUndefined()
})
