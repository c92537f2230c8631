import { describe, expect, test } from 'vitest'
import { requirementsChanged, type Offered } from '../../src/domain/requirements-changed.ts'
import { parseTarget } from '../../src/domain/target.ts'

const target = parseTarget('cp313-musllinux_1_2_x86_64')!
const ENDED = 1000

function offer(version: string, change: Partial<Offered> & { tags?: string } = {}): Offered {
  const { tags = 'py3-none-any', ...rest } = change
  return { filename: `setuptools-${version}-${tags}.whl`, sha256: version, uploadedAt: 10, yanked: false, ...rest }
}

function changed(files: Offered[] | undefined, lines = ['setuptools>=60,<90'], before: string[] = []): boolean {
  const used = [{ filename: 'setuptools-80.0-py3-none-any.whl', sha256: '80.0' }]
  return requirementsChanged({ used, before, lines, endedAt: ENDED, target }, () => files)
}

describe('build requirements of a failure', () => {
  test.each<[string, Offered[], boolean]>([
    ['are as they were', [offer('80.0'), offer('79.0')], false],
    ['had this choice then already', [offer('80.0'), offer('81.0')], false],
    ['have a newer release since', [offer('80.0'), offer('81.0', { uploadedAt: ENDED + 1 })], true],
    ['have a newer one that the sdist does not want', [offer('80.0'), offer('90.0', { uploadedAt: ENDED + 1 })], false],
    ['have a newer one that does not fit', [offer('80.0'), offer('81.0', { uploadedAt: ENDED + 1, tags: 'cp313-cp313-win_amd64' })], false],
    ['have a newer one that fits', [offer('80.0'), offer('81.0', { uploadedAt: ENDED + 1, tags: 'cp313-cp313-musllinux_1_1_x86_64' })], true],
    ['have a pre-release since', [offer('80.0'), offer('81.0rc1', { uploadedAt: ENDED + 1 })], false],
    ['have an older release since', [offer('80.0'), offer('79.1', { uploadedAt: ENDED + 1 })], false],
    ['have a newer one that was withdrawn', [offer('80.0'), offer('81.0', { uploadedAt: ENDED + 1, yanked: true })], false],
    ['have one of which nobody says when it came', [offer('80.0'), offer('81.0', { uploadedAt: undefined })], false],
    ['were withdrawn', [offer('80.0', { yanked: true })], true],
    ['are gone', [offer('79.0')], true],
    ['are of other bytes', [offer('80.0', { sha256: 'other' })], true],
  ])('%s', (_how, files, expected) => {
    expect(changed(files)).toBe(expected)
  })

  test.each([['setuptools==80.0', false], ['setuptools===80.0', false], ['setuptools==80.*', true], ['setuptools>=80.0', true]])('that were withdrawn, and asked for by %s', (line, expected) => {
    expect(changed([offer('80.0', { yanked: true })], [line])).toBe(expected)
    expect(changed([offer('79.0')], [line]), 'gone').toBe(expected)
  })

  test('that were withdrawn, and had by the run before too, are had again', () => {
    expect(changed([offer('80.0', { yanked: true })], ['setuptools'], ['80.0'])).toBe(false)
    expect(changed([offer('80.0', { yanked: true }), offer('81.0', { uploadedAt: ENDED + 1 })], ['setuptools'], ['80.0'])).toBe(true)
  })

  test('on a page without sha256 are known by their names', () => {
    expect(changed([offer('80.0', { sha256: undefined })])).toBe(false)
    expect(changed([offer('79.0', { sha256: undefined })])).toBe(true)
  })

  test('of a project that nobody knows say nothing', () => {
    expect(changed(undefined)).toBe(false)
  })

  test('of requirements have no bound that is known', () => {
    expect(changed([offer('80.0'), offer('99.0', { uploadedAt: ENDED + 1 })], ['meson-python', 'not a line'])).toBe(true)
  })
})
