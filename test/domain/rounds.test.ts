import { describe, expect, test } from 'vitest'
import type { Failure } from '../../src/domain/failure.ts'
import { keptChanges, nextRound, standingFailure, tellChange, type Change, type Round, type RoundContext } from '../../src/domain/rounds.ts'

const at = (date: string) => Date.parse(date) / 1000
const context = (changes: Partial<RoundContext> = {}): RoundContext => ({
  uploaded: at('2026-09-01'), pythonMinor: 13, now: at('2026-11-20'), apks: [], requires: ['setuptools>=40'], ...changes,
})
const OLD = { uploaded: at('2018-05-01') }
const missing = (key: string, name: Failure['class'] = 'missing-header'): Failure => ({ class: name, key })
const broken = (key: string): Failure => ({ class: 'build-failed', key })
const apk = (name: string): Change => ({ kind: 'apk', apk: name })
const round = (failure: Failure, change?: Change): Round => ({ change, failure })

describe('what is missing', () => {
  test('is added by the best of its names', () => {
    expect(nextRound([round(missing('ffi.h'))], context({ apks: ['libffi-dev', 'libffi-other'] }))).toEqual(apk('libffi-dev'))
  })

  test('one after the other, in the first build and three more', () => {
    const rounds = [round(missing('gmp.h')), round(missing('mpfr.h'), apk('gmp-dev')), round(missing('mpc.h'), apk('mpfr-dev'))]
    expect(nextRound(rounds, context({ apks: ['mpc1-dev'] }))).toEqual(apk('mpc1-dev'))
    expect(keptChanges(rounds)).toEqual([apk('gmp-dev'), apk('mpfr-dev')])
    expect(nextRound([...rounds, round(missing('x.h'), apk('mpc1-dev'))], context({ apks: ['x-dev'] }))).toBeUndefined()
  })

  test('is looked for in the next apk where the first one did not have it, until all were tried', () => {
    const first = [round(missing('ffi.h')), round(missing('ffi.h'), apk('libffi-dev'))]
    expect(nextRound(first, context({ apks: ['libffi-dev', 'other-dev'] }))).toEqual(apk('other-dev'))
    expect(nextRound(first, context({ apks: ['libffi-dev'] }))).toBeUndefined()
    const second = [...first, round(missing('ffi.h'), apk('other-dev'))]
    expect([nextRound(second, context({ apks: ['libffi-dev', 'other-dev'] })), keptChanges(second)]).toEqual([undefined, []])
    const found = [...first, round(missing('gmp.h'), apk('other-dev'))]
    expect([nextRound(found, context({ apks: ['gmp-dev'] })), keptChanges(found)]).toEqual([apk('gmp-dev'), [apk('other-dev')]])
  })

  test('is given up in this apk where it cannot be added, but not where the machine was at fault', () => {
    const conflict: Round = { ...round(broken('apk add (unable to select packages)'), apk('openssl-dev')), unbegun: true }
    const rounds = [round(missing('ssl.h')), conflict]
    expect([standingFailure(rounds), keptChanges(rounds)]).toEqual([missing('ssl.h'), []])
    expect(nextRound(rounds, context({ apks: ['openssl-dev', 'libressl-dev'] }))).toEqual(apk('libressl-dev'))
    const fault: Failure = { class: 'infrastructure', key: 'no answer' }
    expect(standingFailure([rounds[0]!, { ...conflict, failure: fault }])).toEqual(fault)
  })

  test('is not added by what apk could take for an option, nor where nothing is known', () => {
    expect(nextRound([round(missing('x.h'))], context({ apks: ['--allow-untrusted', 'x-dev'] }))).toEqual(apk('x-dev'))
    expect(nextRound([round(missing('x.h'))], context({ apks: ['--allow-untrusted'] }))).toBeUndefined()
    expect(nextRound([round(missing('x.h'))], context())).toBeUndefined()
  })

  test('is a build requirement where it is a Python module, or CMake without an apk', () => {
    expect(nextRound([round(missing('numpy', 'missing-python-module'))], context())).toEqual({ kind: 'requires', requires: 'numpy' })
    expect(nextRound([round(missing('cmake', 'missing-command'))], context())).toEqual({ kind: 'requires', requires: 'cmake' })
    expect(nextRound([round(missing('cmake', 'missing-command'))], context({ apks: ['cmake'] }))).toEqual(apk('cmake'))
    expect(nextRound([round(missing('numpy', 'missing-python-module'))], context({ requires: ['numpy'] }))).toBeUndefined()
  })

  test('is setuptools where distutils is gone and nothing brings them', () => {
    const gone: Failure = { class: 'unsupported-python', key: 'No module named \'distutils\'' }
    expect(nextRound([round(gone)], context({ requires: ['poetry-core'] }))).toEqual({ kind: 'requires', requires: 'setuptools' })
    expect(nextRound([round(gone)], context({ requires: ['setuptools>=61'] }))).toBeUndefined()
  })
})

describe('an old sdist', () => {
  const odd = broken('AttributeError: module \'setuptools\' has no attribute \'Feature\'')

  test('has build requirements of its time, but none from before its Python', () => {
    expect(nextRound([round(odd)], context(OLD))).toEqual({ kind: 'constraints', constraints: ['setuptools<82', 'cython<3'], until: at('2025-04-05') })
    expect(nextRound([round(odd)], context({ uploaded: at('2023-01-01'), pythonMinor: 11 }))).toMatchObject({ constraints: ['setuptools<82', 'cython<3', 'numpy<2'], until: at('2023-04-05') })
    expect(nextRound([round(odd)], context({ uploaded: at('2023-08-01'), pythonMinor: 11 }))).toMatchObject({ constraints: ['setuptools<82', 'numpy<2'], until: at('2023-08-01') })
  })

  test('then has them without a date, where there were none then or they fail as well', () => {
    const dated: Change = { kind: 'constraints', constraints: ['setuptools<82', 'cython<3'], until: at('2025-04-05') }
    for (const failure of [{ class: 'build-requirement-unbuildable', key: 'numpy' } as const, broken('TypeError: of another kind'), odd]) {
      const rounds = [round(odd), round(failure, dated)]
      expect(nextRound(rounds, context(OLD))).toEqual({ ...dated, until: undefined })
      expect([standingFailure(rounds), keptChanges(rounds)]).toEqual([odd, []])
    }
    const both = [round(odd), round(odd, dated), round(odd, { ...dated, until: undefined })]
    expect(nextRound(both, context(OLD))).toBeUndefined()
  })

  test('that wants what one requirement no longer has is held to that at once', () => {
    expect(nextRound([round(broken('AttributeError: cython_sources, which Cython 3 does not have'))], context(OLD))).toMatchObject({ kind: 'constraints', constraints: expect.arrayContaining(['cython<3']) as string[] })
    expect(nextRound([round({ class: 'compiler-error', key: 'x.pyx: undeclared name' })], context(OLD))).toEqual({ kind: 'constraints', constraints: ['cython<3'], until: undefined })
    expect(nextRound([round({ class: 'compiler-error', key: 'x.pyx: undeclared name' })], context())).toBeUndefined()
  })

  test('is left alone where its own code is what fails', () => {
    expect(nextRound([round(broken('exit status 1 of gcc'))], context(OLD))).toBeUndefined()
    expect(nextRound([round(odd)], context())).toBeUndefined()
  })

  test('goes on with what it needed when something else is missing', () => {
    const held: Change = { kind: 'constraints', constraints: ['cython<3'], until: undefined }
    const rounds = [round({ class: 'compiler-error', key: 'x.pyx: undeclared name' }), round(missing('ffi.h'), held)]
    expect(nextRound(rounds, context({ ...OLD, apks: ['libffi-dev'] }))).toEqual(apk('libffi-dev'))
    expect(keptChanges(rounds)).toEqual([held])
  })
})

describe('compilers are told to be lenient', () => {
  test.each([
    ['x.c: passing argument 1 of \'f\' makes pointer from integer without a cast', /-Wno-error=int-conversion/],
    ['x.c: incompatible integer to pointer conversion passing \'int\'', /-Wno-error=int-conversion/],
    ['x.c: call to undeclared function \'f\'; ISO C99 and later do not support it', /-Wno-error=implicit-function-declaration/],
    ['x.c: unknown type name \'off64_t\'', /-D_LARGEFILE64_SOURCE/],
    ['x.h: \'bool\' cannot be defined via \'typedef\'', /-std=gnu17/],
  ])('%s', (key, flags) => {
    const change = nextRound([round({ class: 'compiler-error', key })], context())
    expect(change).toEqual({ kind: 'env', env: { CFLAGS: expect.stringMatching(flags) as string } })
    expect(nextRound([round({ class: 'compiler-error', key }), round({ class: 'compiler-error', key }, change)], context())).toBeUndefined()
  })

  test('not where the code is plainly wrong', () => {
    expect(nextRound([round({ class: 'compiler-error', key: 'x.c: \'PyThreadState\' has no member named \'exc_type\'' })], context(OLD))).toBeUndefined()
  })
})

test('what ends a build otherwise is no reason for another round', () => {
  for (const name of ['timed-out', 'out-of-memory', 'infrastructure', 'bad-sdist', 'needs-network', 'repair-failed'] as const) {
    expect(nextRound([round({ class: name, key: 'ModuleNotFoundError' })], context(OLD))).toBeUndefined()
    expect(nextRound([round({ class: name, key: 'Could not fetch URL http://index/simple/cython/: 502' })], context(OLD))).toBeUndefined()
  }
})

test('each change is told in one line', () => {
  expect(tellChange(apk('libffi-dev'), missing('ffi.h'))).toBe('adds the apk libffi-dev, for header ffi.h')
  expect(tellChange({ kind: 'constraints', constraints: ['cython<3'], until: at('2025-04-05') }, broken('odd'))).toBe('holds build requirements to cython<3, uploaded before 2025-04-05, for odd')
  expect(tellChange({ kind: 'env', env: { CFLAGS: '-O2' } }, broken(''))).toBe('sets CFLAGS=-O2')
})
