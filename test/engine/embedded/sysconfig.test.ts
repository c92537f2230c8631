import { expect, test } from 'vitest'
import { correctSysconfig, sysconfigModule } from '../../../src/engine/embedded/sysconfig.ts'

/** As a CPython of pyenv's, and one of Debian's, have them. */
const SAMPLE = {
  'AR': 'x86_64-linux-gnu-gcc-ar', 'BINDIR': '/home/me/.pyenv/versions/3.13.0/bin', 'BLDSHARED': 'gcc -shared -L/home/me/lib -Wl,-rpath,/home/me/lib', 'CC': 'gcc -pthread',
  'CFLAGS': '-g -O3 -fstack-protector-strong', 'CONFIG_ARGS': '\'--prefix=/home/me\'', 'CONFIGURE_LDFLAGS': '-L/home/me/lib', 'EXT_SUFFIX': '.cpython-313-x86_64-linux-gnu.so',
  'HAVE_GETRANDOM': 1, 'INCLUDEPY': '/home/me/include/python3.13', 'LDSHARED': 'gcc -shared -L/home/me/lib', 'LIBDIR': '/home/me/lib', 'LIBPL': '/home/me/lib/python3.13/config-3.13-x86_64-linux-gnu',
  'LDVERSION': '3.13', 'MACHDEP': 'linux', 'MULTIARCH': 'x86_64-linux-gnu', 'MULTIARCH_CPPFLAGS': '-DMULTIARCH=\\"x86_64-linux-gnu\\"', 'Py_ENABLE_SHARED': 1, 'SIZEOF_LONG': 8,
  'SOABI': 'cpython-313-x86_64-linux-gnu', 'VERSION': '3.13', 'abs_srcdir': '/tmp/build',
}
const CORRECTED = correctSysconfig(SAMPLE, { minor: '3.13', cpu: 'x86_64' })

test('names of files and platforms are those of musl', () => {
  expect(CORRECTED).toMatchObject({ EXT_SUFFIX: '.cpython-313-x86_64-linux-musl.so', SOABI: 'cpython-313-x86_64-linux-musl', MULTIARCH: 'x86_64-linux-musl' })
})

test('compilers are found by the PATH, and optimise', () => {
  expect(CORRECTED).toMatchObject({ CC: 'cc', CXX: 'c++', LDSHARED: 'cc -shared', LDCXXSHARED: 'c++ -shared', AR: 'ar' })
  expect(CORRECTED['CFLAGS']).toMatch(/-DNDEBUG -O2 -fno-sanitize=undefined/)
})

test('no folder, flag or compiler of the machine is left', () => {
  for (const [name, value] of Object.entries(CORRECTED)) {
    if (['INCLUDEPY', 'BINDIR'].includes(name)) continue
    expect(`${name}=${value}`).not.toMatch(/\/home|\/tmp|gnu|gcc|rpath|-g\b|-L/)
  }
  expect(CORRECTED).not.toHaveProperty('LIBDIR')
  // Else setuptools links with the library of the machine's own Python.
  expect(CORRECTED['Py_ENABLE_SHARED']).toBe(0)
})

test('types, features, versions, and where the headers lie, stay', () => {
  expect(CORRECTED).toMatchObject({ HAVE_GETRANDOM: 1, SIZEOF_LONG: 8, VERSION: '3.13', LDVERSION: '3.13', INCLUDEPY: SAMPLE.INCLUDEPY, BINDIR: SAMPLE.BINDIR })
})

test('a Python whose builds for musl differ in what they import gets a name that all of them do', () => {
  expect(correctSysconfig(SAMPLE, { minor: '3.10', cpu: 'aarch64' })).toMatchObject({ EXT_SUFFIX: '.so', SOABI: 'cpython-310-aarch64-linux-musl' })
})

test('is a Python module', () => {
  expect(sysconfigModule({ A: 'x"\\', B: 1 })).toBe('build_time_vars = {\n "A": "x\\"\\\\",\n "B": 1\n}\n')
})
