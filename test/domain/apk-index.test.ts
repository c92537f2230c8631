import { describe, expect, test } from 'vitest'
import { apkFilename, bareName, newestApks, outdatedLibraries, parseApkIndex, provides } from '../../src/domain/apk-index.ts'

const TEXT = `C:Q1Jr5fjWWbTcGMoGVZGjUGsCPXQeQ=
P:libffi-dev
V:3.4.4-r3
A:x86_64
S:6217
I:20480
T:portable foreign function interface: development files
U:https://sourceware.example/libffi
L:MIT
o:libffi
m:Somebody <somebody@alpine.example>
t:1684526245
c:0123456789012345678901234567890123456789
D:libffi=3.4.4-r3 pkgconfig
p:pc:libffi=3.4.4

C:Q1x
P:tzdata
V:2024a-r0
A:x86_64
S:451
I:1

X:a block without a name
V:1

`

describe('an index', () => {
  test('is read block by block', () => {
    expect(parseApkIndex(TEXT)).toEqual([
      {
        name: 'libffi-dev', version: '3.4.4-r3', arch: 'x86_64', size: 6217, checksum: 'Q1Jr5fjWWbTcGMoGVZGjUGsCPXQeQ=', origin: 'libffi',
        provides: ['pc:libffi=3.4.4'], depends: ['libffi=3.4.4-r3', 'pkgconfig'], description: 'portable foreign function interface: development files',
      },
      { name: 'tzdata', version: '2024a-r0', arch: 'x86_64', size: 451, checksum: 'Q1x', origin: 'tzdata', provides: [], depends: [], description: '' },
    ])
  })

  test('may be empty, or nonsense', () => {
    expect(parseApkIndex('')).toEqual([])
    expect(parseApkIndex('<html>\n\n</html>')).toEqual([])
  })
})

test('an apk is called by its name, and by what it provides', () => {
  const [dev] = parseApkIndex(TEXT)
  expect(dev && [apkFilename(dev), provides(dev, 'libffi-dev'), provides(dev, 'pc:libffi'), provides(dev, 'libffi'), provides(dev, 'pc:libff')])
    .toEqual(['libffi-dev-3.4.4-r3.apk', true, true, false, false])
  expect(['so:libz.so.1=1.3.1', 'zlib>=1.2', 'zlib~1.3', 'zlib><Q1x', 'pkgconfig'].map(bareName)).toEqual(['so:libz.so.1', 'zlib', 'zlib', 'zlib', 'pkgconfig'])
})

test('libraries are outdated by a newer version of their apk alone', () => {
  const newest = newestApks([{ name: 'zlib', version: '1.3.2-r0' }, { name: 'zlib', version: '1.3.10-r0' }, { name: 'xz-libs', version: '5.6.3-r0' }])
  const bundled = [{ apk: 'zlib', version: '1.3.9-r1' }, { apk: 'xz-libs', version: '5.6.3-r0' }, { apk: 'gone', version: '1-r0' }]
  expect(outdatedLibraries(bundled, newest)).toEqual([{ library: bundled[0], newest: '1.3.10-r0' }])
})
