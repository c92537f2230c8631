import { describe, expect, test } from 'vitest'
import type { Pin } from '../../src/domain/lock/lock.ts'
import type { WheelEntry } from '../../src/domain/merge.ts'
import type { IndexFile } from '../../src/domain/page.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { decide, type Known } from '../../src/domain/verdict.ts'

const target = parseTarget('cp313-musllinux_1_2_x86_64')!
const sha = (digit: string) => digit.repeat(64)
const SDIST = 'foo-1.0.tar.gz'
const PURE = 'foo-1.0-py3-none-any.whl'
const OURS = 'foo-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl'
const file = (filename: string, changed: Partial<IndexFile> = {}): IndexFile => ({ filename, url: filename, hashes: { sha256: sha(filename === SDIST ? 'a' : 'b') }, ...changed })
const page = (...files: IndexFile[]): Known['page'] => ({ meta: { 'api-version': '1.1' }, name: 'foo', files: [file('foo-0.9.tar.gz', { hashes: { sha256: sha('9') } }), ...files] })
const wheel: WheelEntry = { sha256: sha('c'), filename: OURS, size: 1, version: '1.0', target: target.name, sdist: sha('a'), number: 1, metadata: sha('d'), requiresPython: undefined, publishedAt: 0 }
const pin = (changed: Partial<Pin> = {}): Pin => ({ project: 'foo', version: '1.0', line: 1, hashes: [], filenames: undefined, only: undefined, elsewhere: undefined, ...changed })
const known = (changed: Partial<Known> = {}): Known => ({ page: page(file(SDIST)), wheels: [], failures: new Map(), ready: true, skip: undefined, ...changed })
const sdistHash = { hashes: [`sha256:${sha('a')}`] }

describe('what is there', () => {
  test('a wheel of the upstream, pure or not', () => {
    expect(decide(pin(), target, known({ page: page(file(SDIST), file(PURE)) }))).toEqual({ verdict: 'upstream-wheel', filename: PURE })
  })
  test('one of ours, with what the plain upstream has instead', () => {
    expect(decide(pin(), target, known({ wheels: [wheel] }))).toEqual({ verdict: 'built', wheel, sdist: file(SDIST), note: undefined })
  })
  test('one of ours, while the upstream cannot be asked', () => {
    expect(decide(pin(), target, known({ page: undefined, wheels: [wheel] }))).toMatchObject({ verdict: 'built', sdist: undefined })
  })
  test('the upstream\'s wheel takes the place of ours, unless the lock holds ours alone', () => {
    const both = known({ page: page(file(SDIST), file(PURE)), wheels: [wheel] })
    expect(decide(pin(), target, both)).toEqual({ verdict: 'upstream-wheel', filename: PURE })
    expect(decide(pin({ hashes: [`sha256:${sha('c')}`] }), target, both)).toMatchObject({ verdict: 'built', note: undefined })
  })
  test('one of ours that the lock does not name is there, but installers that check will not take it', () => {
    expect(decide(pin(sdistHash), target, known({ wheels: [wheel] }))).toMatchObject({ verdict: 'built', note: { why: expect.stringContaining('does not name'), remedy: expect.any(String) } })
    expect(decide(pin({ filenames: [SDIST] }), target, known({ wheels: [wheel] }))).toMatchObject({ verdict: 'built', note: { why: expect.any(String) } })
    expect(decide(pin({ hashes: [...sdistHash.hashes, `sha256:${sha('c')}`] }), target, known({ wheels: [wheel] }))).toMatchObject({ verdict: 'built', note: undefined })
  })
})

describe('what would be built', () => {
  test('an sdist without a wheel', () => {
    expect(decide(pin(), target, known())).toEqual({ verdict: 'would-build', filename: OURS, sdist: file(SDIST), note: undefined })
    expect(decide(pin({ version: '1.0.0' }), target, known())).toMatchObject({ verdict: 'would-build' })
    expect(decide(pin({ only: 'wheels' }), target, known())).toMatchObject({ verdict: 'would-build', note: undefined })
  })
  test('a yanked one, as it is pinned', () => {
    expect(decide(pin(), target, known({ page: page(file(SDIST, { yanked: true })) }))).toMatchObject({ verdict: 'would-build' })
  })
  test('one whose lock will not hold the wheel: it says so', () => {
    expect(decide(pin(sdistHash), target, known())).toMatchObject({ verdict: 'would-build', note: { remedy: expect.stringContaining('once it is built') } })
  })
})

describe('where a native wheel is wanted', () => {
  const NATIVE = file('foo-1.0-cp313-cp313-win_amd64.whl', { hashes: { sha256: sha('e') } })
  test('a pure one that stands in for it does not count, unless there is nothing else', () => {
    const fallback = page(file(SDIST), file(PURE), NATIVE)
    expect(decide(pin(), target, known({ page: fallback }))).toEqual({ verdict: 'upstream-wheel', filename: PURE })
    expect(decide(pin(), target, known({ page: fallback, native: true }))).toMatchObject({ verdict: 'would-build', filename: OURS })
    expect(decide(pin(), target, known({ page: fallback, native: true, wheels: [wheel] }))).toMatchObject({ verdict: 'built' })
    expect(decide(pin(), target, known({ page: page(file(PURE), NATIVE), native: true }))).toEqual({ verdict: 'upstream-wheel', filename: PURE })
    expect(decide(pin(), target, known({ page: fallback, native: true, skip: 'no' }))).toEqual({ verdict: 'upstream-wheel', filename: PURE })
  })
  test('one of a release that is pure for everybody does', () => {
    expect(decide(pin(), target, known({ page: page(file(SDIST), file(PURE)), native: true }))).toEqual({ verdict: 'upstream-wheel', filename: PURE })
  })
})

describe('what cannot be had', () => {
  const GLIBC = file('foo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl')
  test.each<[string, Partial<Pin>, Partial<Known>, RegExp, RegExp]>([
    ['from elsewhere', { elsewhere: 'a git repository' }, {}, /a git repository/, /build it/],
    ['an unknown project', {}, { page: undefined }, /no such project/, /spelling/],
    ['an unknown release', { version: '2.0' }, {}, /no such release/, /version/],
    ['no sdist', {}, { page: page(GLIBC) }, /no wheel that fits and no sdist/, /ask the project/],
    ['another Python', {}, { page: page(file(SDIST, { 'requires-python': '>=3.14' })) }, /does not support this Python: >=3\.14/, /release that supports/],
    ['hashes that fit nothing', { hashes: ['sha256:ff'] }, {}, /lock allows none/, /lock again/],
    ['hashes that leave out a wheel that fits', sdistHash, { page: page(file(SDIST), file(PURE)) }, /does not name foo-1\.0-py3-none-any\.whl/, /lock again/],
    ['--no-binary', { only: 'sdists' }, { wheels: [wheel] }, /--no-binary/, /leave --no-binary out/],
    ['no builder', {}, { ready: false }, /no builder is ready for cp313/, /start one/],
    ['a failure', {}, { failures: new Map([[sha('a'), { job: 7, failure: { class: 'missing-header', key: 'ffi.h' } }]]) }, /needs header ffi\.h/, /add the apk libffi-dev/],
    ['a failure that is being tried again', {}, { failures: new Map([[sha('a'), { job: 7, failure: undefined }]]) }, /tried again/, /wait/],
    ['a yanked wheel in the way', {}, { page: page(file(SDIST), file(PURE, { yanked: true })) }, /stands against it/, /another release/],
    ['an sdist without sha256', {}, { page: page(file(SDIST, { hashes: {} })) }, /no sha256/, /another release/],
    ['a quarantined project', {}, { page: { ...page(file(PURE))!, 'project-status': { status: 'quarantined' } } }, /quarantined/, /another/],
  ])('%s', (_, pinned, facts, why, remedy) => {
    const verdict = decide(pin(pinned), target, known(facts))
    expect(verdict).toMatchObject({ verdict: 'cannot', reason: { why: expect.stringMatching(why), remedy: expect.stringMatching(remedy) } })
  })

  test('a failure names its job and the sdist that is left', () => {
    const failures: Known['failures'] = new Map([[sha('a'), { job: 7, failure: { class: 'timed-out', key: '2 h' } }]])
    expect(decide(pin(), target, known({ failures }))).toMatchObject({ failed: 7, sdist: file(SDIST) })
    expect(decide(pin(), target, known({ failures: new Map([[sha('9'), { job: 7, failure: undefined }]]) }))).toMatchObject({ verdict: 'would-build' })
  })
})
