import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import table from '../../builders/missing.json' with { type: 'json' }
import { classifyLog } from '../../src/domain/classify.ts'
import type { FailureClass } from '../../src/domain/failure.ts'
import { absentOnAlpine, APK_NAME, suggestApks, suggestRequirement } from '../../src/domain/missing.ts'

const KINDS = ['missing-header', 'missing-pkg-config', 'missing-command', 'missing-library', 'missing-python-module'] as const

describe('suggestApks', () => {
  it.each<[FailureClass, key: string, apks: string[]]>([
    ['missing-header', 'ffi.h', ['libffi-dev']],
    ['missing-header', '/usr/include/ffi.h', ['libffi-dev']],
    ['missing-header', 'linux/never_heard_of.h', ['linux-headers']],
    ['missing-header', 'openssl/provider.h', ['openssl-dev']],
    ['missing-header', 'google/protobuf/io/coded_stream.h', ['protobuf-dev']],
    ['missing-pkg-config', 'libffi', ['libffi-dev']],
    ['missing-pkg-config', 'boost', ['boost-dev']],
    ['missing-pkg-config', 'no-such-module', []],
    ['missing-command', 'pg_config', ['libpq-dev', 'postgresql-dev']],
    ['missing-command', 'Git', ['git']],
    ['missing-command', 'PkgConfig', ['pkgconf']],
    ['missing-command', 'that ./build.sh calls', []],
    ['missing-library', 'odbc', ['unixodbc-dev']],
    ['missing-library', 'ZLIB', ['zlib-dev']],
    ['missing-library', 'libhdf5.so', ['hdf5-dev']],
    ['missing-library', 'libhdf5.so.310', ['hdf5-dev']],
    ['missing-library', 'Boost', ['boost-dev']],
    ['missing-library', 'jpeg', ['libjpeg-turbo-dev', 'jpeg-dev']],
    ['missing-library', 'libsnappy', ['snappy-dev']],
    ['missing-python-module', 'numpy', []],
    ['compiler-error', 'ffi.h', []],
    ['needs-network', 'git', []],
  ])('%s %s', (kind, key, apks) => {
    expect(suggestApks({ class: kind, key })).toEqual(apks)
  })

  it.each([
    'bli_config.h', 'longintrepr.h', 'Python.h', 'pyconfig.h', 'structmember.h', 'numpy/arrayobject.h', 'pybind11/pybind11.h', 'internal/pycore_frame.h',
    'foo/_internal.h', '../include/config.h', './zlib.h', 'src/ffi.h', 'config.h', 'constructor', '__proto__', 'toString', '',
  ])('names none for %s, which the project or CPython itself should hold', (key) => {
    for (const kind of KINDS) expect(suggestApks({ class: kind, key })).toEqual([])
  })

  it('names what apk takes as a name and nothing else, whatever is missing', () => {
    fc.assert(fc.property(fc.constantFrom(...KINDS), fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom('--allow-untrusted', 'ffi.h\r\nX: 1', '-U')), (kind, key) => {
      for (const apk of suggestApks({ class: kind, key })) expect(apk).toMatch(APK_NAME)
      suggestRequirement({ class: kind, key })
      absentOnAlpine({ class: kind, key })
    }))
  })
})

test('what musl does not have is told with its reason, and no apk is named', () => {
  expect(absentOnAlpine({ class: 'missing-header', key: 'execinfo.h' })).toMatch(/backtrace/)
  expect(absentOnAlpine({ class: 'missing-library', key: 'libclntsh.so' })).toMatch(/Oracle/)
  expect(absentOnAlpine({ class: 'missing-pkg-config', key: 'libsystemd' })).toMatch(/systemd/)
  expect(absentOnAlpine({ class: 'missing-command', key: 'nvcc' })).toMatch(/CUDA/)
  expect(absentOnAlpine({ class: 'missing-header', key: 'ffi.h' })).toBeUndefined()
  expect(absentOnAlpine({ class: 'compiler-error', key: 'execinfo.h' })).toBeUndefined()
  for (const [section, kind] of [['headers', 'missing-header'], ['pkgconfig', 'missing-pkg-config'], ['commands', 'missing-command'], ['libraries', 'missing-library']] as const) {
    for (const key of Object.keys(table.absent[section])) expect(suggestApks({ class: kind, key })).toEqual([])
  }
})

test('a Python module is named by the requirement that brings it', () => {
  const of = (key: string) => suggestRequirement({ class: 'missing-python-module', key })
  expect([of('numpy'), of('numpy.core'), of('yaml'), of('google.protobuf.compiler'), of('pkg_resources')]).toEqual(['numpy', 'numpy', 'pyyaml', 'protobuf', 'setuptools<82'])
  expect([of('google'), of('its_own_setup'), of('numpy; x'), of('../x')]).toEqual([undefined, undefined, undefined, undefined])
  expect(suggestRequirement({ class: 'missing-header', key: 'numpy' })).toBeUndefined()
})

test('every name in the table is one that apk takes, and none brings a Python beside the image\'s own', () => {
  const { absent: _, modules, ...sections } = table
  for (const names of Object.values(sections)) {
    for (const [key, apks] of Object.entries(names as Record<string, string[]>)) {
      expect(apks.length, key).toBeGreaterThan(0)
      for (const apk of apks) {
        expect(apk, key).toMatch(APK_NAME)
        expect(apk, key).not.toMatch(/^(?:py3-|python3)/)
      }
    }
  }
  for (const [module, requirement] of Object.entries(modules)) expect(requirement, module).toMatch(/^[a-z0-9][a-z0-9-]*(?:[<>=]+\d+)?$/)
  expect(Object.keys(table.names)).toEqual(Object.keys(table.names).map((name) => name.toLowerCase()))
})

test('hostile names in a log become no apk', () => {
  for (const name of ['--allow-untrusted', '-U', '$(id)', '../../etc/passwd', 'ffi.h;id', 'ffi.h\u001b[31m']) {
    const failure = classifyLog(`x.c:1:1: fatal error: ${name}: No such file or directory\n/bin/sh: ${name}: not found\ncannot find -l${name}\n`, { step: 'build' })
    for (const apk of suggestApks(failure)) expect(Object.values({ ...table.headers, ...table.commands, ...table.libraries, ...table.names }).flat()).toContain(apk)
  }
})
