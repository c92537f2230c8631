import { describe, expect, it } from 'vitest'
import { parseTarget } from '../../src/domain/target.ts'
import { verifyWheel, type VerifyInput } from '../../src/domain/verify.ts'
import { ELF } from '../fixtures/elf.ts'
import { makeElf, type ElfParts } from '../fixtures/make-elf.ts'
import { members, sha256, wheelContents, type Contents } from '../fixtures/make-wheel.ts'

const TAG = 'cp313-cp313-musllinux_1_2_x86_64'
const good: ElfParts = { needed: ['libc.musl-x86_64.so.1'], wants: ['malloc', 'PyModule_Create2', '_Py_Dealloc', '__gmon_start__?'], gives: ['PyInit__x'] }

const verify = (contents: Contents, changes: Partial<VerifyInput> = {}) => verifyWheel({
  filename: `demo-1.0-${TAG}.whl`, members: members(contents), project: 'Demo', version: '1.0',
  target: parseTarget('cp313-musllinux_1_2_x86_64')!, muslRelease: '1.2.5', expected: 'native', outside: [], sha256, ...changes,
})
const withElf = (parts: ElfParts, more: Contents = {}) => wheelContents({ 'demo/_x.so': makeElf({ ...good, ...parts }), ...more })
const failure = async (contents: Contents, changes: Partial<VerifyInput> = {}) => {
  const verdict = await verify(contents, changes)
  return verdict.ok ? 'it was taken' : `${verdict.failure.class}: ${verdict.failure.key}`
}

describe('verifyWheel takes', () => {
  it('a native wheel, and tells what it needs', async () => {
    expect(await verify(withElf({ wants: ['malloc', 'qsort_r'] }))).toMatchObject({
      ok: true, native: true, lowestMusl: '1.2.3', relr: false, bundled: [], requiresPython: '>=3.9',
    })
  })

  it('libraries that it brings along, by file name and by soname', async () => {
    const contents = withElf({ needed: ['libc.so', 'libffi-1234.so.8', 'libz.so.1'], wants: ['ffi_call', 'crc32', 'thing'], runpath: '$ORIGIN/../demo.libs' }, {
      'demo.libs/libffi-1234.so.8': makeElf({ gives: ['ffi_call'] }),
      'demo/other.bin': makeElf({ soname: 'libother.so', gives: ['thing'] }),
    })
    expect(await verify(contents)).toMatchObject({ ok: true, bundled: ['libffi-1234.so.8'] })
  })

  it('RELR relocations, where musl is new enough', async () => {
    expect(await verify(withElf({ relr: true }))).toMatchObject({ ok: true, lowestMusl: '1.2.4', relr: true })
    expect(await failure(withElf({ relr: true }), { muslRelease: '1.2.3' })).toBe('not-musl: _x.so needs musl 1.2.4, the target has 1.2.3')
  })

  it('a pure wheel, under its own tag or under the one that was promised', async () => {
    const files = { 'demo/__init__.py': 'x = 1\n' }
    const own = wheelContents(files, { tags: ['py3-none-any'], purelib: true })
    expect(await verify(own, { filename: 'demo-1.0-py3-none-any.whl', expected: 'pure' })).toMatchObject({ ok: true, native: false, lowestMusl: undefined })
    expect(await verify(wheelContents(files, { purelib: true }), { expected: 'unknown' })).toMatchObject({ ok: true, native: false })
  })

  it('a build number, several tags, quoted names and other spellings of name and version', async () => {
    const contents = wheelContents({ 'demo/a,"b".so': makeElf(good) }, { build: 2, tags: [TAG, 'cp313-abi3-musllinux_1_2_x86_64'], info: 'Demo-1.0.0.dist-info' })
    const record = 'Demo-1.0.0.dist-info/RECORD'
    contents[record] = String(contents[record]).replace('demo/a,"b".so', '"demo/a,""b"".so"')
    expect(await verify(contents, { filename: 'demo-1.0-2-cp313-cp313.abi3-musllinux_1_2_x86_64.whl' })).toMatchObject({ ok: true })
  })
})

describe('verifyWheel refuses', () => {
  it.each<[string, ElfParts]>([
    ['wrong-wheel: _x.so is for aarch64, not x86_64', { machine: 183 }],
    ['wrong-wheel: _x.so is for machine 247, not x86_64', { machine: 247 }],
    ['not-musl: _x.so is linked with glibc (GLIBC_2.17)', { version: 'GLIBC_2.17' }],
    ['not-musl: _x.so is linked with glibc (libm.so.6)', { needed: ['libc.so', 'libm.so.6'] }],
    ['not-musl: _x.so is started by /lib64/ld-linux-x86-64.so.2', { interpreter: '/lib64/ld-linux-x86-64.so.2' }],
    ['repair-failed: _x.so needs libffi.so.8, which is not in the wheel', { needed: ['libc.so', 'libffi.so.8'] }],
    ['not-musl: _x.so calls backtrace, which musl does not have', { wants: ['malloc', 'backtrace'] }],
    ['not-musl: _x.so calls backtrace and 2 more, which musl does not have', { wants: ['backtrace', 'malloc', 'fts_open', 'error'] }],
    ['not-musl: _x.so needs musl 1.2.6, the target has 1.2.5', { wants: ['posix_getdents'] }],
    ['wrong-wheel: _x.so looks for libraries in "/usr/lib"', { runpath: '$ORIGIN/../demo.libs:/usr/lib' }],
    ['wrong-wheel: _x.so looks for libraries in ""', { runpath: '$ORIGIN:' }],
    ['wrong-wheel: _x.so looks for libraries in "$ORIGIN/../.."', { runpath: '$ORIGIN/../..' }],
    ['wrong-wheel: _x.so looks for libraries in "$ORIGINAL/x"', { runpath: '$ORIGINAL/x' }],
  ])('%s', async (expected, parts) => {
    expect(await failure(withElf(parts))).toBe(expected)
  })

  it('real files linked with glibc or calling what musl lacks', async () => {
    expect(await failure(wheelContents({ 'demo/_x.so': ELF.glibc }))).toMatch(/^not-musl: _x\.so is linked with glibc/)
    expect(await failure(wheelContents({ 'demo/_x.so': ELF.musl }))).toBe('not-musl: _x.so calls backtrace, which musl does not have')
  })

  it('an ELF file that is cut, wherever it lies and however it is named', async () => {
    expect(await failure(withElf({}, { 'demo-1.0.data/data/notes.txt': ELF.musl.subarray(0, 900) }))).toMatch(/^wrong-wheel: .*notes\.txt is a broken ELF file/)
  })

  it('a wheel that lost its native part', async () => {
    const files = { 'yaml/__init__.py': '' }
    expect(await failure(wheelContents(files))).toBe('pure-fallback: ')
    expect(await failure(wheelContents(files), { expected: 'unknown' })).toBe('pure-fallback: ')
    const any = wheelContents(files, { tags: ['py3-none-any'], purelib: true })
    expect(await failure(any, { filename: 'demo-1.0-py3-none-any.whl' })).toBe('pure-fallback: ')
  })

  it('native code for any platform', async () => {
    const contents = wheelContents({ 'demo/_x.so': makeElf(good) }, { tags: ['py3-none-any'] })
    expect(await failure(contents, { filename: 'demo-1.0-py3-none-any.whl' })).toBe('wrong-wheel: it holds native code and is tagged for any platform')
  })

  it.each([
    ['demo-1.0.whl', 'demo-1.0.whl is no wheel\'s file name'],
    [`other-1.0-${TAG}.whl`, 'it is named other, not Demo'],
    [`demo-1.1-${TAG}.whl`, 'it is version 1.1, not 1.0'],
    ['demo-1.0-cp312-cp312-musllinux_1_2_x86_64.whl', 'its tags do not fit cp313-musllinux_1_2_x86_64'],
    ['demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl', 'its tags do not fit cp313-musllinux_1_2_x86_64'],
    ['demo-1.0-cp313-cp313-linux_x86_64.whl', 'the tags in its WHEEL are not those of its file name'],
    [`demo-1.0-1-${TAG}.whl`, 'the build number in its WHEEL is not that of its file name'],
  ])('the file name %s', async (filename, key) => {
    expect(await failure(withElf({}), { filename })).toBe(`wrong-wheel: ${key}`)
  })

  const info = 'demo-1.0.dist-info'
  const change = (name: string, edit: (text: string) => string) => {
    const contents = withElf({})
    contents[name] = edit(String(contents[name]))
    return contents
  }
  it.each<[string, () => Contents]>([
    ['its RECORD does not list demo/extra.py', () => ({ ...withElf({}), 'demo/extra.py': '' })],
    ['its RECORD is wrong about demo/_x.so', () => ({ ...withElf({}), 'demo/_x.so': makeElf({ ...good, soname: 'changed' }) })],
    ['its RECORD is wrong about demo/_x.so', () => change(`${info}/RECORD`, (text) => text.replace(/(_x\.so,sha256=[^,]*),\d+/, '$1,7'))],
    ['its RECORD lists demo/gone.py, which is absent', () => change(`${info}/RECORD`, (text) => `demo/gone.py,sha256=abc,3\n${text}`)],
    ['its RECORD lists a member twice', () => change(`${info}/RECORD`, (text) => text.replace(/^(demo\/_x.*\n)/, '$1$1'))],
    ['its RECORD has the line nonsense', () => change(`${info}/RECORD`, (text) => `nonsense\n${text}`)],
    ['it has no RECORD', () => Object.fromEntries(Object.entries(withElf({})).filter(([name]) => !name.endsWith('RECORD')))],
    ['it has no dist-info folder', () => ({ 'demo/__init__.py': '' })],
    ['it has two dist-info folders, demo-1.0.dist-info and pip-9.0.dist-info', () => ({ ...withElf({}), 'pip-9.0.dist-info/METADATA': '' })],
    ['it has two dist-info folders, demo-1.0.dist-info and pip-9.0.dist-info', () => ({ ...withElf({}), 'demo-1.0.data/purelib/pip-9.0.dist-info/METADATA': '' })],
    ['its other-1.0.dist-info is not of Demo 1.0', () => wheelContents({}, { info: 'other-1.0.dist-info' })],
    ['its METADATA is of other', () => wheelContents({ 'demo/_x.so': makeElf(good) }, { metadata: 'Metadata-Version: 2.1\nName: other\nVersion: 1.0\n' })],
    ['its METADATA is of version 2.0', () => wheelContents({ 'demo/_x.so': makeElf(good) }, { metadata: 'Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n' })],
    ['its METADATA is of no known version', () => wheelContents({ 'demo/_x.so': makeElf(good) }, { metadata: 'hello' })],
    ['its member demo/../../x.py lies outside it', () => withElf({}, { 'demo/../../x.py': '' })],
    ['its member /etc/x lies outside it', () => withElf({}, { '/etc/x': '' })],
    ['its member demo\\..\\x lies outside it', () => withElf({}, { 'demo\\..\\x': '' })],
    ['its member demo/a b lies outside it', () => withElf({}, { 'demo/a\nb': '' })],
  ])('%s', async (key, contents) => {
    expect(await failure(contents())).toBe(`wrong-wheel: ${key}`)
  })

  it('a member that is there twice', async () => {
    const twice = members(withElf({}))
    expect(await failure({}, { members: [...twice, twice[0]!] })).toBe('wrong-wheel: it holds a member twice')
  })

  it('whatever a name holds, the key stays one short line of ASCII', async () => {
    const key = await failure(withElf({ needed: [`lib\u001b[31mé\r\nX: y${'z'.repeat(500)}.so`] }))
    expect(key).toMatch(/^repair-failed: [\x20-\x7e]{1,120}$/)
  })
})
