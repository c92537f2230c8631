import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergePage, type PromiseEntry, type WheelEntry } from '../../src/domain/merge.ts'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'

const SHA = { sdist: 'a'.repeat(64), other: 'B'.repeat(64), wheel: 'c'.repeat(64), newer: 'd'.repeat(64), metadata: 'e'.repeat(64) }
const PAGE_URL = 'https://upstream.example/simple/foo/'

const sdist: IndexFile = {
  'filename': 'foo-1.0.tar.gz', 'url': '../../files/foo-1.0.tar.gz#sha256=x', 'hashes': { sha256: SHA.sdist, md5: 'x' }, 'requires-python': '>=3.8', 'size': 10,
  'upload-time': '2020-01-02T03:04:05.000006Z', 'yanked': false, 'core-metadata': { sha256: 'f'.repeat(64) }, 'future-key': { deep: [1, null] },
}
const page: ProjectPage = {
  'meta': { 'api-version': '1.4', '_last-serial': 7 }, 'name': 'foo', 'files': [sdist], 'versions': ['1.0'], 'project-status': { status: 'archived' }, 'unknown': [{ kept: true }],
}
const wheel: WheelEntry = {
  sha256: SHA.wheel, filename: 'foo-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl', size: 99, version: '1.0', target: 'cp313-musllinux_1_2_x86_64', sdist: SHA.sdist, number: 1,
  metadata: SHA.metadata, requiresPython: '>=3.8', publishedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
}
const second: WheelEntry = { ...wheel, sha256: SHA.newer, filename: wheel.filename.replace('-1-', '-2-'), number: 2 }
const promise: PromiseEntry = { id: 'abc-_1', filename: wheel.filename, sdist }

const merge = (changed: Partial<Parameters<typeof mergePage>[0]>) => mergePage({ page, project: 'foo', pageUrl: PAGE_URL, wheels: [], promises: [], root: '../../', ...changed })
const withFiles = (...files: Partial<IndexFile>[]): ProjectPage => ({ ...page, files: files.map((file) => ({ ...sdist, ...file })) })
const last = (merged: ProjectPage) => merged.files.at(-1)!

describe('the upstream\'s files', () => {
  test('change in their URL alone, and the input not at all', () => {
    const before = structuredClone(page)
    expect(merge({ wheels: [wheel], promises: [promise] }).files[0]).toEqual({ ...sdist, url: `../../files/${SHA.sdist}/foo-1.0.tar.gz` })
    expect(merge({})).toEqual({ ...page, files: [{ ...sdist, url: `../../files/${SHA.sdist}/foo-1.0.tar.gz` }] })
    expect(page).toEqual(before)
  })

  test.each<[string, Partial<IndexFile>, string]>([
    ['a digest in capitals', { hashes: { sha256: SHA.other } }, `../../files/${'b'.repeat(64)}/foo-1.0.tar.gz`],
    ['a name to escape', { filename: 'foo-1.0+a&b.whl' }, `../../files/${SHA.sdist}/foo-1.0%2Ba%26b.whl`],
    ['no sha256', { hashes: { md5: 'x' } }, 'https://upstream.example/files/foo-1.0.tar.gz#sha256=x'],
    ['no hashes', { hashes: undefined as never }, 'https://upstream.example/files/foo-1.0.tar.gz#sha256=x'],
    ['a digest that is none', { hashes: { sha256: '../../x' } }, 'https://upstream.example/files/foo-1.0.tar.gz#sha256=x'],
    ['a name that climbs', { filename: '..', url: 'https://other.example/a' }, 'https://other.example/a'],
    ['a name with a slash', { filename: 'a/b', url: '/a' }, 'https://upstream.example/a'],
    ['a name that is no text', { filename: 'a\ud800', url: '/a' }, 'https://upstream.example/a'],
    ['no URL at all', { hashes: {}, url: 'http://[' }, 'http://['],
  ])('%s', (_, file, url) => expect(merge({ page: withFiles(file) }).files[0]!.url).toBe(url))

  test('every key survives, whatever it is', () => {
    const keys = fc.dictionary(fc.string().filter((key) => !['url', 'hashes', 'filename', '__proto__'].includes(key)), fc.jsonValue())
    fc.assert(fc.property(keys, keys, (ofFile, ofPage) => {
      const { files, versions, ...rest } = { ...ofPage, ...page } as ProjectPage
      const merged = merge({ page: { ...rest, files: [{ ...ofFile, ...sdist }] } as ProjectPage, wheels: [wheel] })
      expect(merged).toMatchObject(rest)
      expect(merged.files[0]).toEqual({ ...ofFile, ...sdist, url: merged.files[0]!.url })
    }))
  })
})

describe('our wheels', () => {
  test('are listed with all that is known', () => {
    expect(last(merge({ wheels: [wheel] }))).toEqual({
      'filename': wheel.filename, 'url': `../../files/${SHA.wheel}/${wheel.filename}`, 'hashes': { sha256: SHA.wheel }, 'requires-python': '>=3.8', 'size': 99,
      'upload-time': '2026-01-02T03:04:05.006Z', 'yanked': false, 'core-metadata': { sha256: SHA.metadata },
    })
    expect(last(merge({ wheels: [{ ...wheel, requiresPython: undefined }] }))).not.toHaveProperty('requires-python')
  })

  test('are as old as their sdists for those who want that, as far as these are known', () => {
    expect(last(merge({ wheels: [wheel], asOld: true }))).toEqual({ ...last(merge({ wheels: [wheel] })), 'upload-time': '2020-01-02T03:04:05.000006Z' })
    for (const changed of [{ hashes: { sha256: SHA.other } }, { 'upload-time': null }, { hashes: {} }]) {
      expect(last(merge({ page: withFiles(changed), wheels: [wheel], asOld: true }))['upload-time']).toBe('2026-01-02T03:04:05.006Z')
    }
  })

  const theirs = 'foo-1.0.0-cp313-cp313-musllinux_1_1_x86_64.whl'
  test.each<[string, ProjectPage, boolean | string]>([
    ['a fitting wheel of the upstream supersedes', withFiles({}, { filename: theirs }), 'superseded by the upstream\'s wheel'],
    ['a pure one too', withFiles({}, { filename: 'foo-1.0-py3-none-any.whl' }), 'superseded by the upstream\'s wheel'],
    ['a yanked one does not', withFiles({}, { filename: theirs, yanked: 'bad' }), false],
    ['one of another version does not', withFiles({}, { filename: theirs.replace('1.0.0', '1.1') }), false],
    ['one for another CPU does not', withFiles({}, { filename: theirs.replace('x86_64', 'aarch64') }), false],
    ['a yanked sdist yanks its wheel', withFiles({ yanked: 'broken' }), 'broken'],
    ['also without a reason', withFiles({ yanked: true }), true],
    ['so does an sdist that went away', withFiles({ hashes: { sha256: SHA.other } }), 'the upstream no longer lists its sdist'],
  ])('%s', (_, changed, yanked) => expect(last(merge({ page: changed, wheels: [wheel] })).yanked).toBe(yanked))

  test('a higher build number supersedes, of the same sdist and target', () => {
    const other = { ...second, target: 'cp312-musllinux_1_2_x86_64', filename: 'foo-1.0-3-cp312-cp312-musllinux_1_2_x86_64.whl', number: 3 }
    const merged = merge({ wheels: [second, wheel, other] })
    expect(merged.files.slice(1).map(({ yanked }) => yanked)).toEqual([false, false, 'superseded by build 2'])
    expect(merge({ wheels: [second, wheel, other], olderBuilds: 'listed' }).files.slice(1).map(({ yanked }) => yanked)).toEqual([false, false, false])
  })

  test('are listed with the newest build first, in whatever order they come', () => {
    for (const wheels of [[wheel, second], [second, wheel]]) {
      expect(merge({ wheels, olderBuilds: 'listed' }).files.slice(1).map(({ filename }) => filename)).toEqual([second.filename, wheel.filename])
    }
  })

  test.each(['listed', 'yanked'] as const)('the wheel of the upstream does so by a yank alone, older builds being %s', (olderBuilds) => {
    expect(last(merge({ page: withFiles({}, { filename: theirs }), wheels: [wheel], olderBuilds })).yanked).toBe('superseded by the upstream\'s wheel')
  })

  test('a file of the upstream under the same name goes first', () => {
    const merged = merge({ page: withFiles({}, { filename: wheel.filename, hashes: { sha256: SHA.other } }), wheels: [wheel] })
    expect(merged.files.map(({ hashes }) => hashes['sha256'])).toEqual([SHA.sdist, SHA.other])
  })

  test.each([[[]], [[sdist]]])('a quarantined project gets none, and no promise, and offers none of the upstream\'s', (files) => {
    const quarantined = { ...page, files, 'project-status': { status: 'quarantined', reason: 'malware' } }
    expect(merge({ page: quarantined, wheels: [wheel], promises: [promise] })).toEqual({ ...quarantined, files: [] })
  })

  test('a project that the upstream forgot still has a page', () => {
    expect(merge({ page: undefined, project: 'Foo', wheels: [wheel] })).toMatchObject({
      meta: { 'api-version': '1.1' }, name: 'foo', versions: ['1.0'], files: [{ filename: wheel.filename, yanked: 'the upstream no longer lists its sdist' }],
    })
  })
})

describe('promises', () => {
  test('carry what the sdist tells, and never a hash or size', () => {
    expect(last(merge({ promises: [promise] }))).toEqual({
      'filename': wheel.filename, 'url': `../../promise/abc-_1/${wheel.filename}`, 'hashes': {}, 'requires-python': '>=3.8', 'upload-time': '2020-01-02T03:04:05.000006Z',
      'yanked': false, 'core-metadata': true,
    })
    const { 'requires-python': _, 'upload-time': __, ...bare } = sdist
    expect(last(merge({ promises: [{ ...promise, sdist: { ...bare, 'yanked': 'why', 'requires-python': null } }] }))).toEqual({
      'filename': wheel.filename, 'url': `../../promise/abc-_1/${wheel.filename}`, 'hashes': {}, 'yanked': 'why', 'core-metadata': true,
    })
  })

  test('give way to the built wheel of the same name', () => {
    expect(merge({ wheels: [wheel], promises: [promise] }).files.filter(({ filename }) => filename === wheel.filename)).toHaveLength(1)
  })
})

test('versions are completed by what was added, in one spelling', () => {
  const old = { ...wheel, filename: wheel.filename.replace('1.0', '0.9'), version: '0.9' }
  expect(merge({ wheels: [old, wheel], promises: [{ ...promise, filename: promise.filename.replace('1.0', '1.0.0') }] }).versions).toEqual(['1.0', '0.9'])
  const { versions, ...without } = page
  expect(merge({ page: without as ProjectPage, wheels: [wheel] })).not.toHaveProperty('versions')
})

test('a page of thousands of files is merged at once', () => {
  const files = Array.from({ length: 4000 }, (_, i) => ({ ...sdist, filename: `foo-1.${i % 400}-cp3${i % 10}-cp3${i % 10}-manylinux_2_17_x86_64.whl` }))
  const wheels = Array.from({ length: 300 }, (_, i) => ({ ...wheel, version: `1.${i}`, filename: wheel.filename.replace('1.0', `1.${i}`) }))
  const begin = performance.now()
  expect(merge({ page: { ...page, files }, wheels }).files).toHaveLength(4300)
  expect(performance.now() - begin).toBeLessThan(1500)
})

test('a provenance that leads somewhere is ours beside the file, and whatever else stands there stays', () => {
  const listed = (provenance: unknown) => {
    const page = { meta: { 'api-version': '1.4' }, name: 'demo', files: [{ filename: 'demo-1.0.tar.gz', url: 'https://upstream.example/demo-1.0.tar.gz', hashes: { sha256: 'a'.repeat(64) }, provenance }] }
    return mergePage({ page, project: 'demo', pageUrl: 'https://upstream.example/simple/demo/', wheels: [], promises: [], root: '../../' }).files[0]?.['provenance']
  }
  for (const url of ['https://upstream.example/integrity/demo', '/integrity/demo']) expect(listed(url)).toBe(`../../files/${'a'.repeat(64)}/demo-1.0.tar.gz.provenance`)
  for (const left of [null, 'javascript:alert(1)', 'https://[', { attestations: [] }]) expect(listed(left)).toEqual(left)
})
