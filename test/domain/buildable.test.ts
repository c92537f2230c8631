import { describe, expect, test } from 'vitest'
import { newestBuildable, splitRequirement } from '../../src/domain/buildable.ts'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'
import { parseSpecifiers } from '../../src/domain/specifier.ts'
import { parseTarget } from '../../src/domain/target.ts'

const TARGET = parseTarget('cp313-musllinux_1_2_x86_64')!

function page(files: Record<string, Partial<IndexFile>>, keys: object = {}): ProjectPage {
  const listed = Object.entries(files).map(([filename, more], n) => ({ filename, url: filename, hashes: { sha256: String(n).padStart(64, '0') }, ...more }))
  return { meta: { 'api-version': '1.4' }, name: 'numpy', files: listed as IndexFile[], ...keys } as ProjectPage
}

function newest(given: ProjectPage, specifiers: string): string | undefined {
  return newestBuildable(given, parseSpecifiers(specifiers)!, TARGET)?.version
}

describe('the release that is built for a requirement', () => {
  const releases = page({
    'numpy-1.26.4.tar.gz': {}, 'numpy-2.1.0.zip': {}, 'numpy-2.1.0.tar.gz': {}, 'numpy-2.2.0-cp313-cp313-macosx_14_0_arm64.whl': {},
    'numpy-2.3.0rc1.tar.gz': {}, 'numpy-2.0.1.tar.gz': { 'requires-python': '>=3.9' }, 'numpy-2.2.1.tar.gz': { 'requires-python': '<3.13' },
    'numpy-2.2.2.tar.gz': { yanked: 'broken' }, 'numpy-2.2.3.tar.gz': { hashes: {} },
  })

  test.each([
    ['', '2.1.0'], ['<2', '1.26.4'], ['>=2,!=2.1.0', '2.0.1'], ['==1.26.*', '1.26.4'], ['>=2.2', '2.3.0rc1'], ['>=2.3.0rc1', '2.3.0rc1'], ['>3', undefined],
    ['==2.2.2', '2.2.2'], ['===2.2.2', '2.2.2'], ['==2.2.*', undefined], ['==2.2.1', undefined], ['==2.2.3', undefined],
  ])('numpy%s: %s', (specifiers, version) => {
    expect(newest(releases, specifiers)).toBe(version)
  })

  test('by its own sdist, the .tar.gz of two', () => {
    expect(newestBuildable(releases, [], TARGET)?.sdist).toEqual({ sha256: '2'.padStart(64, '0'), filename: 'numpy-2.1.0.tar.gz' })
  })

  test('pre-releases stand back, and are taken where nothing else is', () => {
    expect(newest(page({ 'numpy-3.0b1.tar.gz': {}, 'numpy-3.0b2.tar.gz': {} }), '')).toBe('3.0b2')
  })

  test('none of a quarantined project', () => {
    expect(newest(page({ 'numpy-1.0.tar.gz': {} }, { 'project-status': { status: 'quarantined' } }), '')).toBeUndefined()
  })
})

test.each([
  ['numpy', 'numpy', ''], ['numpy>=2,<3', 'numpy', '>=2,<3'], ['Foo.Bar[x, y] (>=1)', 'Foo.Bar', '>=1'], ['a ==1.0 ; python_version<"3.9"', 'a', '==1.0'],
])('a requirement in parts: %s', (line, name, specifiers) => {
  expect(splitRequirement(line)).toEqual({ name, specifiers: parseSpecifiers(specifiers) })
})

test('specifiers that are none', () => {
  expect(splitRequirement('numpy>=x')).toBeUndefined()
})
