import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareApkVersions } from '../../src/domain/apk-version.ts'

test.each([
  // Numbers, part by part.
  ['1.2.9', '<', '1.2.10'], ['2.0', '>', '1.99.99'], ['1.2', '<', '1.2.0'], ['1.2', '<', '1.2.1'], ['20240101', '<', '20240102'], ['1', '=', '1'],
  // A part with leading zeros is a fraction.
  ['1.01', '<', '1.1'], ['1.001', '<', '1.01'], ['1.010', '>', '1.01'], ['1.05', '<', '1.1'], ['1.00', '<', '1.0'],
  // A letter, and what follows on none.
  ['1.1.1w', '>', '1.1.1k'], ['1.1.1a', '>', '1.1.1'], ['1.1.1.1', '>', '1.1.1a'], ['6b', '>', '6'],
  // Before a release.
  ['3.0_rc1', '<', '3.0'], ['3.0_alpha', '<', '3.0_beta'], ['3.0_beta2', '<', '3.0_pre1'], ['3.0_pre9', '<', '3.0_rc1'], ['3.0_rc', '<', '3.0_rc1'], ['3.0_rc2', '<', '3.0_rc10'],
  ['3.0_rc1-r9', '<', '3.0-r0'],
  // After one.
  ['9.6_p1', '>', '9.6'], ['9.6_p1', '<', '9.6_p2'], ['1.0_git20240101', '>', '1.0'], ['1.0_git20240101', '<', '1.0_p1'], ['1.0_cvs', '<', '1.0_svn'], ['1.0_hg1', '>', '1.0_git9'],
  ['1.0_rc1_p1', '>', '1.0_rc1'], ['1.0_p1', '<', '1.0.1'],
  // The build of one version by Alpine comes last.
  ['1.3.1-r0', '<', '1.3.1-r1'], ['1.3.1-r2', '<', '1.3.1-r10'], ['1.3.1', '<', '1.3.1-r0'], ['1.3.1-r9', '<', '1.3.2-r0'], ['1.3.1-r9', '<', '1.3.1_p1-r0'],
  // Commit hashes of apk-tools 3 stand before that.
  ['1.0_git1~abc-r0', '>', '1.0_git1-r0'], ['1.0~abc-r0', '<', '1.0~abd-r0'],
  // What cannot be read ends what is compared.
  ['1.0-foo', '=', '1.0-bar'],
])('%s %s %s', (a, relation, b) => {
  const sign = { '<': -1, '=': 0, '>': 1 }[relation] ?? NaN
  expect(Math.sign(compareApkVersions(a, b))).toBe(sign)
  expect(Math.sign(compareApkVersions(b, a))).toBe(0 - sign)
})

const part = fc.stringMatching(/^(?:0|[1-9]\d?|0[1-9])$/)
const version = fc.tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('', 'a', 'b'), fc.constantFrom('', '_rc1', '_rc2', '_p1', '_alpha'), fc.constantFrom('', '-r0', '-r1', '-r10'))
  .map(([numbers, ...rest]) => numbers.join('.') + rest.join(''))

test('the order is total', () => {
  fc.assert(fc.property(version, version, version, (a, b, c) => {
    expect(Math.sign(compareApkVersions(a, b))).toBe(0 - Math.sign(compareApkVersions(b, a)))
    const [first, second, third] = [a, b, c].sort(compareApkVersions) as [string, string, string]
    expect(compareApkVersions(first, second)).toBeLessThanOrEqual(0)
    expect(compareApkVersions(first, third)).toBeLessThanOrEqual(0)
    if (compareApkVersions(a, b) === 0 && compareApkVersions(b, c) === 0) expect(compareApkVersions(a, c)).toBe(0)
  }))
})
