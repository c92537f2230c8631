import { describe, expect, test } from 'vitest'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'
import { promisable } from '../../src/domain/promise.ts'
import { parseTarget } from '../../src/domain/target.ts'

const target = parseTarget('cp313-musllinux_1_2_x86_64')!
const sha = (digit: string) => digit.repeat(64)
const file = (filename: string, changed: Partial<IndexFile> = {}): IndexFile => ({ filename, url: filename, hashes: { sha256: sha('a') }, ...changed })
const ask = (files: IndexFile[], changed: Partial<Parameters<typeof promisable>[0]> = {}) =>
  promisable({ page: { meta: { 'api-version': '1.1' }, name: 'foo', files }, target, wheels: [], remembered: new Set(), ...changed })

test('an sdist without a wheel is promised under the name that the build will give', () => {
  const sdist = file('Foo-1.0.tar.gz')
  expect(ask([sdist])).toEqual([{ sdist, version: '1.0', number: 1, filename: 'foo-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl' }])
})

describe('what is promised', () => {
  test.each<[string, IndexFile[]]>([
    ['a yanked sdist', [file('foo-1.0.tar.gz', { yanked: 'bad' })]],
    ['a zip', [file('foo-1.0.zip')]],
    ['an sdist of older times', [file('foo-1.0.tar.bz2')]],
    ['a sha256 in capitals', [file('foo-1.0.tar.gz', { hashes: { sha256: sha('A') } })]],
    ['glibc wheels beside it', [file('foo-1.0.tar.gz'), file('foo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl')]],
    ['musl wheels for others', [file('foo-1.0.tar.gz'), file('foo-1.0-cp312-cp312-musllinux_1_2_x86_64.whl'), file('foo-1.0-cp313-cp313-musllinux_1_2_aarch64.whl')]],
    ['a newer musl level', [file('foo-1.0.tar.gz'), file('foo-1.0-cp313-cp313-musllinux_1_3_x86_64.whl')]],
    ['a wheel of another version', [file('foo-1.0.tar.gz'), file('foo-1.0.1-py3-none-any.whl')]],
    ['the Python', [file('foo-1.0.tar.gz', { 'requires-python': '>=3.8,<3.14' })]],
    ['a patch of the Python', [file('foo-1.0.tar.gz', { 'requires-python': '>=3.13.2' })]],
    ['a Requires-Python that nobody can read', [file('foo-1.0.tar.gz', { 'requires-python': '3.8 or so' })]],
    ['no Requires-Python', [file('foo-1.0.tar.gz', { 'requires-python': null })]],
  ])('%s', (_, files) => expect(ask(files)).toHaveLength(1))
})

describe('what is not', () => {
  test.each<[string, IndexFile[]]>([
    ['no sdist', [file('foo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl')]],
    ['an sdist without sha256', [file('foo-1.0.tar.gz', { hashes: { md5: 'x' } })]],
    ['an sdist in another format', [file('foo-1.0.tar.Z')]],
    ['another project\'s sdist', [file('bar-1.0.tar.gz')]],
    ['a pure wheel', [file('foo-1.0.tar.gz'), file('foo-1.0-py3-none-any.whl')]],
    ['a musl wheel, the version in another spelling', [file('foo-1.0.tar.gz'), file('foo-1.0.0-cp313-cp313-musllinux_1_1_x86_64.whl')]],
    ['an abi3 wheel', [file('foo-1.0.tar.gz'), file('foo-1.0-cp39-abi3-musllinux_1_2_x86_64.whl')]],
    ['a yanked wheel', [file('foo-1.0.tar.gz'), file('foo-1.0-py3-none-any.whl', { yanked: true })]],
    ['a wheel without hash', [file('foo-1.0.tar.gz'), file('foo-1.0-py3-none-any.whl', { hashes: {} })]],
    ['another Python', [file('foo-1.0.tar.gz', { 'requires-python': '>=3.14' })]],
    ['an older Python', [file('foo-1.0.tar.gz', { 'requires-python': '<3.13' })]],
  ])('%s', (_, files) => expect(ask(files)).toEqual([]))

  test('a release that failed, whichever of its sdists did', () => {
    const files = [file('foo-1.0.tar.gz'), file('foo-1.0.zip', { hashes: { sha256: sha('b') } })]
    expect(ask(files, { remembered: new Set([sha('a')]) })).toEqual([])
    expect(ask(files, { remembered: new Set([sha('b')]) })).toEqual([])
    expect(ask(files, { remembered: new Set([sha('c')]) })).toHaveLength(1)
  })

  test('a quarantined project', () => {
    const page: ProjectPage = { 'meta': { 'api-version': '1.4' }, 'name': 'foo', 'files': [file('foo-1.0.tar.gz')], 'project-status': { status: 'quarantined' } }
    expect(promisable({ page, target, wheels: [], remembered: new Set() })).toEqual([])
    expect(promisable({ page: { ...page, 'project-status': { status: 'archived' } }, target, wheels: [], remembered: new Set() })).toHaveLength(1)
  })

  test('what we built, for this target or for one whose wheels it takes', () => {
    const built = (target: string) => ({ sdist: sha('a'), target, number: 1, filename: `foo-1.0-1-cp313-${target}.whl` })
    expect(ask([file('foo-1.0.tar.gz')], { wheels: [built('cp313-musllinux_1_2_x86_64')] })).toEqual([])
    expect(ask([file('foo-1.0.tar.gz')], { wheels: [built('cp313-musllinux_1_1_x86_64')] })).toEqual([])
    expect(ask([file('foo-1.0.tar.gz')], { wheels: [{ ...built('cp313-musllinux_1_2_aarch64') }] })).toHaveLength(1)
  })
})

test('every release gets one, the tar.gz before others, and a zip after all', () => {
  const files = [file('foo-1.0.zip'), file('foo-1.0.tar.gz'), file('foo-2.0rc1.tar.gz'), file('foo-1.0.0.zip'), file('foo-0.9.zip'), file('foo-0.9.tar.bz2')]
  expect(ask(files).map(({ version, sdist }) => [version, sdist.filename]).toSorted()).toEqual([
    ['0.9', 'foo-0.9.tar.bz2'], ['1.0', 'foo-1.0.tar.gz'], ['2.0rc1', 'foo-2.0rc1.tar.gz'],
  ])
})
