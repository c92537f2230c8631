import { describe, expect, test } from 'vitest'
import { bringsPython, findApks, resolveApk } from '../../src/domain/apk-find.ts'
import type { ApkEntry } from '../../src/domain/apk-index.ts'

function entry(name: string, more: Partial<ApkEntry> = {}): ApkEntry {
  return { name, version: '1-r0', arch: 'x86_64', size: 1, checksum: 'Q1', origin: name, provides: [], depends: [], description: '', ...more }
}

const ENTRIES = [
  entry('libffi', { provides: ['so:libffi.so.8=8.1.2'] }),
  entry('libffi-dev', { origin: 'libffi', depends: ['libffi=1-r0'], provides: ['pc:libffi=3.4.4'] }),
  entry('libssl3', { origin: 'openssl', provides: ['so:libssl.so.3=3'] }),
  entry('libcrypto3', { origin: 'openssl', provides: ['so:libcrypto.so.3=3'] }),
  entry('openssl-dev', { origin: 'openssl', depends: ['libcrypto3=1-r0', 'libssl3=1-r0'], provides: ['pc:openssl=3', 'pc:libssl=3'] }),
  entry('libressl-dev', { provides: ['pc:openssl=2'] }),
  entry('libquilt', { origin: 'quilting', provides: ['so:libquilt.so.2=2.0'] }),
  entry('quilting-tools', { origin: 'quilting', provides: ['cmd:quilt-config=1-r0'] }),
  entry('quilting-extra-dev', { origin: 'quilting' }),
  entry('quilting-dev', { origin: 'quilting' }),
  entry('python3', { provides: ['cmd:python3=3.11'] }),
  entry('py3-pip', { provides: ['cmd:pip3=24'] }),
  entry('cython', { provides: ['cmd:cython=3'] }),
  entry('knitting-dev', { depends: ['!unpicking', 'needles>=1', 'so:libffi.so.8'], provides: ['pc:knitting=1'] }),
  entry('needles', { depends: ['cmd:python3', 'knitting-dev'] }),
]

describe('what a failure names', () => {
  test('is looked for in our data first, as far as this repository has it', () => {
    expect(findApks({ class: 'missing-header', key: 'ffi.h' }, ENTRIES)).toEqual(['libffi-dev'])
    expect(findApks({ class: 'missing-header', key: 'ffi.h' }, [])).toEqual([])
    expect(findApks({ class: 'missing-header', key: 'quilt.h' }, ENTRIES)).toEqual([])
  })

  test('is found by its pkg-config module, a -dev apk first, and the shorter name', () => {
    expect(findApks({ class: 'missing-pkg-config', key: 'libssl' }, ENTRIES)[0]).toBe('openssl-dev')
    expect(findApks({ class: 'missing-pkg-config', key: 'openssl' }, ENTRIES)).toEqual(['openssl-dev', 'libressl-dev'])
    expect(findApks({ class: 'missing-pkg-config', key: 'quilt' }, ENTRIES)).toEqual([])
  })

  test('is found by its command', () => {
    expect(findApks({ class: 'missing-command', key: 'quilt-config' }, ENTRIES)).toEqual(['quilting-tools'])
  })

  test.each(['quilt', '-lquilt', 'libquilt', 'libquilt.so', 'libquilt.so.2', 'libquilt.a'])('is found by the library %s: what compiles with it lies beside it', (key) => {
    expect(findApks({ class: 'missing-library', key }, ENTRIES)).toEqual(['quilting-dev', 'quilting-extra-dev'])
  })

  test('of a library is first what requires that very one', () => {
    expect(findApks({ class: 'missing-library', key: 'crypto' }, ENTRIES)[0]).toBe('openssl-dev')
    expect(findApks({ class: 'missing-library', key: 'cryptonite' }, ENTRIES)).toEqual([])
  })

  test('is never a second Python', () => {
    expect(findApks({ class: 'missing-command', key: 'python3' }, ENTRIES)).toEqual([])
    expect(findApks({ class: 'missing-command', key: 'cython' }, ENTRIES)).toEqual([])
    expect(findApks({ class: 'missing-pkg-config', key: 'knitting' }, ENTRIES)).toEqual([])
    expect(findApks({ class: 'missing-pkg-config', key: 'knitting' }, ENTRIES.filter(({ name }) => name !== 'python3'))).toEqual(['knitting-dev'])
    expect(ENTRIES.filter(bringsPython).map(({ name }) => name)).toEqual(['python3', 'py3-pip', 'cython'])
    expect(bringsPython(entry('python-is-near', { provides: ['cmd:python=1'] }))).toBe(true)
    expect(bringsPython(entry('py3c-dev'))).toBe(false)
  })

  test('may be nothing that an apk could be', () => {
    expect(findApks({ class: 'compiler-error', key: 'x' }, ENTRIES)).toEqual([])
    expect(findApks({ class: 'missing-library', key: '--allow-untrusted' }, ENTRIES)).toEqual([])
  })
})

test('a name is that of an apk, or the best that provides it', () => {
  expect(['libffi-dev', 'pc:libffi', 'so:libquilt.so.2', 'cmd:quilt-config', 'pc:openssl', 'nothing', '--allow-untrusted', 'Libffi', ''].map((name) => resolveApk(ENTRIES, name)))
    .toEqual(['libffi-dev', 'libffi-dev', 'libquilt', 'quilting-tools', 'openssl-dev', undefined, undefined, undefined, undefined])
})
