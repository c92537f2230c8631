/** The corpus of real releases: how its file is read, what it must hold, and how what came of a release is judged. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nameOf, readCorpus, shortcomings, type Entry } from './e2e/corpus/entries.ts'
import { judge, type Seen } from './e2e/corpus/judge.ts'
import { table } from './e2e/corpus/table.ts'
import { openResults, whatRuns } from './e2e/results.ts'

const CFFI = `[[release]]
pin = "cffi==2.1.1"
expect = "missing-header"
key = "ffi.h"
apks = ["libffi-dev"]
backend = "setuptools"
traits = ["c"]
year = 2026
`
const LZ4 = '[[release]]\npin = "lz4==4.4.5"\nexpect = "built"\nbackend = "setuptools"\ntraits = ["c"]\nyear = 2025\n'
const BUILT: Seen = { outcome: 'built', failure: null, seconds: 7, peakBytes: 90e6, attempts: 1, year: 2025, wheelBytes: 671_000, clean: { ok: true, seconds: 3, said: '' } }

test('the corpus itself is as wide as the issue wants it', async () => {
  const entries = readCorpus(await readFile(new URL('./e2e/corpus.toml', import.meta.url), 'utf8'))
  expect(shortcomings(entries)).toEqual([])
})

describe('reading', () => {
  test('what a release does not say is its usual value', () => {
    const entry = one(LZ4.replace('lz4==4.4.5', 'argon2-cffi-bindings==26.2.0'))
    expect(entry).toMatchObject({ project: 'argon2-cffi-bindings', version: '26.2.0', target: 'cp313', module: 'argon2_cffi_bindings' })
  })

  test.each([
    ['a pin without a version', LZ4.replace('==4.4.5', ''), /normalized name==version/],
    ['a name that is not normalized', LZ4.replace('lz4==', 'Lz_4=='), /normalized name==version/],
    ['an outcome that is none', LZ4.replace('"built"', '"fine"'), /expect/],
    ['an unknown key', `${LZ4}colour = "red"\n`, /colour/],
    ['an apk that is an option', CFFI.replace('libffi-dev', '--allow-untrusted'), /apks/],
    ['a key where nothing fails', `${LZ4}key = "lz4.h"\n`, /expected to succeed/],
    ['a release that stands twice', LZ4 + LZ4, /stands twice/],
  ])('%s is refused', (_, text, why) => expect(() => readCorpus(text)).toThrow(why))

  test('one release may stand for two targets', () => {
    expect(readCorpus(`${LZ4}${LZ4}target = "cp311"\n`).map(({ target }) => target)).toEqual(['cp313', 'cp311'])
  })

  test('a corpus that is too narrow says where', () => {
    const lacks = shortcomings(readCorpus(LZ4 + CFFI))
    expect(lacks).toContain('releases: 2, at least 60')
    expect(lacks).toContain('native ones that are built: 1, at least 30')
    expect(lacks).toContain('no setuptools in the slice')
  })
})

describe('judging', () => {
  const lz4 = one(LZ4)
  const cffi = one(CFFI)
  const failed = (failure: NonNullable<Seen['failure']> & { apks?: string[] }): Seen => ({ ...BUILT, outcome: 'failed', failure, year: 2026, clean: null })

  test('what was built and can be used is right', () => expect(judge(lz4, BUILT)).toBeUndefined())
  test('what was built and cannot be imported is wrong', () => {
    expect(judge(lz4, { ...BUILT, clean: { ok: false, seconds: 1, said: 'no module' } })).toMatch(/not usable.*no module/)
  })
  test('what was not tried on a clean image is wrong', () => expect(judge(lz4, { ...BUILT, clean: null })).toMatch(/not installed/))
  test('a native one that came out pure is wrong', () => expect(judge(lz4, { ...BUILT, outcome: 'pure' })).toBe('expected built, came pure'))
  test('another sdist than the one that was meant is wrong', () => expect(judge(lz4, { ...BUILT, year: 2019 })).toMatch(/uploaded in 2019/))
  test('the failure that is expected is right', () => expect(judge(cffi, failed({ class: 'missing-header', key: 'ffi.h', apks: ['libffi-dev'] }))).toBeUndefined())
  test('another key is wrong', () => expect(judge(cffi, failed({ class: 'missing-header', key: 'gmp.h' }))).toMatch(/came gmp\.h/))
  test('another class is wrong', () => expect(judge(cffi, failed({ class: 'compiler-error', key: 'ffi.h' }))).toMatch(/came compiler-error/))
  test('an apk that is not named is wrong', () => expect(judge(cffi, failed({ class: 'missing-header', key: 'ffi.h', apks: [] }))).toMatch(/does not name libffi-dev/))
  test('a build where a failure is expected is wrong', () => expect(judge(cffi, { ...BUILT, year: 2026 })).toMatch(/came built/))
})

describe('results', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-corpus-')) })
  afterEach(() => rm(folder, { recursive: true }))

  test('are kept for the same images, and for no others', async () => {
    const path = join(folder, 'deep/results.json')
    await (await openResults<Seen>(path)).put(nameOf(one(LZ4)), 'sha256:a', BUILT)
    const kept = await openResults<Seen>(path)
    expect(kept.get(nameOf(one(LZ4)), 'sha256:a')).toMatchObject(BUILT)
    expect(kept.get(nameOf(one(LZ4)), 'sha256:b')).toBeUndefined()
    expect(kept.get(nameOf(one(CFFI)), 'sha256:a')).toBeUndefined()
  })

  test('that are to be fresh are forgotten at once, and the others are kept', async () => {
    const path = join(folder, 'results.json')
    const [lz4, cffi] = [nameOf(one(LZ4)), nameOf(one(CFFI))]
    const results = await openResults<Seen>(path)
    for (const name of [lz4, cffi]) await results.put(name, 'a', BUILT)
    for (const kept of [await openResults<Seen>(path, [lz4]), await openResults<Seen>(path)]) {
      expect(kept.get(lz4, 'a')).toBeUndefined()
      expect(kept.get(cffi, 'a')).toMatchObject(BUILT)
    }
  })

  test('written at the same time are all kept', async () => {
    const path = join(folder, 'results.json')
    const results = await openResults<Seen>(path)
    await Promise.all([results.put(nameOf(one(LZ4)), 'a', BUILT), results.put(nameOf(one(CFFI)), 'a', BUILT)])
    const kept = await openResults<Seen>(path)
    expect([one(LZ4), one(CFFI)].map((entry) => kept.get(nameOf(entry), 'a')?.outcome)).toEqual(['built', 'built'])
  })

  test('that cannot be read are told, with what helps', async () => {
    const path = join(folder, 'results.json')
    await writeFile(path, '{"lz4==4.4.5 cp3')
    await expect(openResults(path)).rejects.toThrow(/results\.json.*--fresh/)
    await openResults(path, ['lz4==4.4.5 cp313'])
    expect(await readFile(path, 'utf8')).toBe('{}\n')
  })

  test('a run says what it runs, and what it does not', () => {
    expect(whatRuns(['a', 'b', 'c'], ['a', 'c'])).toBe('runs 2 of 3: a, c; 1 kept from earlier runs (--fresh runs them too)')
    expect(whatRuns(['a'], ['a'])).toBe('runs 1 of 1: a')
    expect(whatRuns(['a'], [])).toMatch(/^runs 0 of 1; 1 kept/)
  })
})

test('the table tells what came, and what is wrong about it', () => {
  const text = table([one(LZ4), one(CFFI)], ({ project }) => (project === 'lz4' ? { ...BUILT, outcome: 'pure' } : undefined))
  expect(text).toMatch(/lz4==4\.4\.5 +cp313 +setuptools c +pure +7 +90 +1 +3 s +671 +← expected built, came pure/)
  expect(text).toMatch(/cffi==2\.1\.1 +cp313 +setuptools c +not run/)
})

function one(text: string): Entry {
  return readCorpus(text)[0] as Entry
}
