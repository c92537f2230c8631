import { describe, expect, test } from 'vitest'
import { chooseFile, filesOfRelease, type Limits } from '../../src/domain/choose.ts'
import type { IndexFile } from '../../src/domain/page.ts'
import { parseTarget } from '../../src/domain/target.ts'

const target = parseTarget('cp313-musllinux_1_2_x86_64')!
const file = (filename: string, changed: Partial<IndexFile> = {}): IndexFile => ({ filename, url: filename, hashes: { sha256: filename.length.toString(16).padStart(64, '0') }, ...changed })
const hash = (filename: string) => `sha256:${file(filename).hashes['sha256']}`
const any: Limits = { hashes: [], filenames: undefined, only: undefined }
const choose = (files: (string | IndexFile)[], limits: Partial<Limits> = {}) => {
  const choice = chooseFile(files.map((each) => typeof each === 'string' ? file(each) : each), 'foo', { ...any, ...limits }, target)
  return choice.kind === 'none' ? choice.why : choice.file.filename
}

const SDIST = 'foo-1.0.tar.gz'
const PURE = 'foo-1.0-py3-none-any.whl'
const NATIVE = 'foo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl'
const ABI3 = 'foo-1.0-cp39-abi3-musllinux_1_2_x86_64.whl'
const GLIBC = 'foo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl'

describe('of the files of a release the best is chosen', () => {
  test.each<[string, (string | IndexFile)[], string]>([
    ['the wheel before the sdist', [SDIST, PURE], PURE],
    ['the native before the pure one', [PURE, NATIVE, ABI3], NATIVE],
    ['the stable ABI before the pure one', [PURE, ABI3], ABI3],
    ['its own musl level before an older one', [NATIVE.replace('1_2_', '1_1_'), NATIVE], NATIVE],
    ['the tag before the build number', [ABI3.replace('1.0-', '1.0-9-'), NATIVE], NATIVE],
    ['a build number before none, and by its value', [NATIVE, NATIVE.replace('1.0-', '1.0-9-'), NATIVE.replace('1.0-', '1.0-10-')], NATIVE.replace('1.0-', '1.0-10-')],
    ['a build number\'s letters last', [NATIVE.replace('1.0-', '1.0-1b-'), NATIVE.replace('1.0-', '1.0-1a-')], NATIVE.replace('1.0-', '1.0-1b-')],
    ['a wheel for others is passed over', [GLIBC, SDIST], SDIST],
    ['a yanked wheel comes after the sdist', [file(NATIVE, { yanked: 'bad' }), SDIST], SDIST],
    ['where all are yanked the wheel', [file(NATIVE, { yanked: true }), file(SDIST, { yanked: true })], NATIVE],
    ['another Python is passed over', [file(NATIVE, { 'requires-python': '<3.13' }), SDIST], SDIST],
    ['a patch of the Python', [file(NATIVE, { 'requires-python': '>=3.13.2' }), SDIST], NATIVE],
    ['a local version before the plain one', [NATIVE, NATIVE.replace('1.0-', '1.0+x-')], NATIVE.replace('1.0-', '1.0+x-')],
  ])('%s', (_, files, chosen) => {
    expect(choose(files)).toBe(chosen)
    expect(choose(files.toReversed())).toBe(chosen)
  })
})

describe('the lock restricts', () => {
  test.each<[string, (string | IndexFile)[], Partial<Limits>, string]>([
    ['to its hashes', [NATIVE, SDIST], { hashes: [hash(SDIST)] }, SDIST],
    ['to its hashes, in capitals on the page', [file(NATIVE, { hashes: { sha256: 'A'.repeat(64) } }), SDIST], { hashes: [`sha256:${'a'.repeat(64)}`] }, NATIVE],
    ['to another algorithm', [file(NATIVE, { hashes: { sha512: 'ff' } }), SDIST], { hashes: ['sha512:ff'] }, NATIVE],
    ['to hashes that fit nothing', [NATIVE, SDIST], { hashes: ['sha256:ff'] }, 'lock'],
    ['to hashes of others\' files', [GLIBC, SDIST], { hashes: [hash(GLIBC)] }, 'lock'],
    ['to its files', [NATIVE, PURE, SDIST], { filenames: [PURE, SDIST] }, PURE],
    ['to no file', [NATIVE], { filenames: [] }, 'lock'],
    ['to wheels', [SDIST], { only: 'wheels' }, 'lock'],
    ['to sdists', [SDIST, NATIVE], { only: 'sdists' }, SDIST],
  ])('%s', (_, files, limits, chosen) => expect(choose(files, limits)).toBe(chosen))

  test('to its files in another spelling of the project', () => {
    expect(choose(['Foo.Bar-1.0-py3-none-any.whl', SDIST], { filenames: ['foo_bar-1.0-py3-none-any.whl', SDIST] })).toBe('Foo.Bar-1.0-py3-none-any.whl')
  })

  test('a file without hashes is never one of them', () => {
    expect(choose([file(PURE, { hashes: null as unknown as Record<string, string> }), SDIST], { hashes: [hash(SDIST)] })).toBe(SDIST)
  })
})

test.each<[string, (string | IndexFile)[], string]>([
  ['no file at all', [], 'no-release'],
  ['wheels for others', [GLIBC], 'other'],
  ['no Python of ours', [file(SDIST, { 'requires-python': '>=3.14' }), GLIBC], 'python'],
])('nothing: %s', (_, files, why) => expect(choose(files)).toBe(why))

test('a release is what == means', () => {
  const names = [SDIST, 'foo-1.0.0-py3-none-any.whl', 'foo-1.0+x.tar.gz', 'foo-1.0.post1.tar.gz', 'foo-1.0rc1.tar.gz', 'foo-1.0.1.tar.gz', 'bar-1.0-py3-none-any.whl', 'foo-1.0.exe', 'Foo-1.zip']
  const of = (version: string) => filesOfRelease(names.map((name) => file(name)), 'foo', version).map(({ filename }) => filename)
  expect(of('1.0')).toEqual([SDIST, 'foo-1.0.0-py3-none-any.whl', 'foo-1.0+x.tar.gz', 'Foo-1.zip'])
  expect(of('1.0+x')).toEqual(['foo-1.0+x.tar.gz'])
  expect(of('1.0RC1')).toEqual(['foo-1.0rc1.tar.gz'])
  expect(of('')).toEqual([])
})
