import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobReader, ZipReader } from '@zip.js/zip.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWheel, WheelError } from '../../src/builder/wheel-file.ts'
import { retagWheel } from '../../src/builder/wheel-write.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { verifyWheel } from '../../src/domain/verify.ts'
import { makeElf } from '../fixtures/make-elf.ts'
import { sha256, wheelContents, zip, type Contents } from '../fixtures/make-wheel.ts'

const target = parseTarget('cp313-musllinux_1_2_x86_64')!
const FINAL = 'demo-1.0-3-cp313-cp313-musllinux_1_2_x86_64.whl'
const native: Contents = { 'demo/__init__.py': '', 'demo/_x.so': makeElf({ needed: ['libc.so'], wants: ['malloc'], gives: ['PyInit__x'] }), 'demo/run': '#!/bin/sh\n' }
let folder: string
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-wheel-')) })
afterEach(async () => { await rm(folder, { recursive: true }) })

const write = async (bytes: Uint8Array) => {
  const path = join(folder, 'in.whl')
  await writeFile(path, bytes)
  return path
}
const retag = (path: string) => retagWheel({ path, to: folder, filename: FINAL, number: 3, target })
const contentsOf = async (path: string) => Object.fromEntries(await Promise.all((await readWheel(path)).map(async ({ name, read }) =>
  [name, new TextDecoder().decode(await read())] as const)))
const entriesOf = async (path: string) => new ZipReader(new BlobReader(new Blob([await readFile(path)]))).getEntries()

describe('readWheel', () => {
  it('gives the members in their order', async () => {
    const path = await write(await zip({ 'b.py': 'b = 1\n', 'a/': '', 'a/c.py': 'c = 2\n' }))
    expect((await readWheel(path)).map(({ name }) => name)).toEqual(['b.py', 'a/', 'a/c.py'])
    expect(await contentsOf(path)).toEqual({ 'b.py': 'b = 1\n', 'a/': '', 'a/c.py': 'c = 2\n' })
  })

  it.each([
    ['no zip file', async () => new TextEncoder().encode('hello')],
    ['nothing', async () => new Uint8Array()],
    ['data before it', async () => Buffer.concat([Buffer.from('#!/bin/sh\n'), await zip({ a: 'a' })])],
    ['data behind it', async () => Buffer.concat([await zip({ a: 'a' }), Buffer.from('tail')])],
    ['two zip files in one', async () => Buffer.concat([await zip({ a: 'a' }), await zip({ a: 'b' })])],
    ['a path out of it', async () => zip({ 'demo/../../evil.py': 'x' })],
    ['an absolute path', async () => zip({ '/etc/evil': 'x' })],
  ])('refuses %s', async (_, bytes) => {
    await expect(readWheel(await write(await bytes()))).rejects.toThrow(WheelError)
  })

  it.each([
    ['a size that deflate cannot reach', 24, 0x0fffffff, /claims a size/],
    ['more than a member may have', 24, 0x10000001, /larger than/],
    ['an unknown compression', 10, 93, /compressed in a way/],
  ])('refuses %s in the directory', async (_, at, value, message) => {
    const bytes = Buffer.from(await zip({ 'a.py': 'x'.repeat(5000) }))
    const header = bytes.indexOf('PK\x01\x02', 'latin1')
    if (at === 10) bytes.writeUInt16LE(value, header + at)
    else bytes.writeUInt32LE(value, header + at)
    await expect(readWheel(await write(bytes))).rejects.toThrow(message)
  })

  it('refuses a symbolic link', async () => {
    const bytes = Buffer.from(await zip({ 'a.py': '/etc/passwd' }))
    bytes.writeUInt32LE(0o120777 * 0x10000, bytes.indexOf('PK\x01\x02', 'latin1') + 38)
    await expect(readWheel(await write(bytes))).rejects.toThrow(/symbolic link/)
  })

  it('refuses, on reading, bytes that are not those of the checksum', async () => {
    const bytes = Buffer.from(await zip({ 'a.py': 'x'.repeat(5000) }))
    const [member] = await readWheel(await write(bytes))
    expect((await member!.read()).length).toBe(5000)
    // Both headers, so that they agree with each other and only the data can tell.
    for (const mark of ['PK\x01\x02', 'PK\x07\x08']) {
      const at = bytes.indexOf(mark, 'latin1')
      bytes.writeUInt32LE(0x12345678, at + (mark === 'PK\x01\x02' ? 16 : 4))
    }
    const [forged] = await readWheel(await write(bytes))
    await expect(forged!.read()).rejects.toThrow(WheelError)
  })

  it('refuses, on reading, a member that is larger than it claims', async () => {
    const bytes = Buffer.from(await zip({ 'a.py': 'x'.repeat(5000) }))
    bytes.writeUInt32LE(50, bytes.indexOf('PK\x01\x02', 'latin1') + 24)
    bytes.writeUInt32LE(50, bytes.indexOf('PK\x07\x08', 'latin1') + 12)
    const [member] = await readWheel(await write(bytes))
    await expect(member!.read()).rejects.toThrow(WheelError)
  })

  it('gives the beginning of a large member without unpacking all of it', async () => {
    const [member] = await readWheel(await write(await zip({ 'a.so': Buffer.concat([Buffer.from('head'), Buffer.alloc(64 << 20)]) })))
    const begun = await member!.begin()
    expect(Buffer.from(begun).subarray(0, 4).toString()).toBe('head')
    expect(begun.length).toBeLessThan(1 << 20)
    const [empty] = await readWheel(await write(await zip({ 'a.py': '' })))
    expect((await empty!.begin()).length).toBe(0)
  })

  it('leaves the error of the system alone', async () => {
    await expect(readWheel(join(folder, 'absent.whl'))).rejects.not.toThrow(WheelError)
  })
})

describe('retagWheel', () => {
  const linux = (files: Contents, purelib = false) => wheelContents(files, { tags: ['cp313-cp313-linux_x86_64', 'cp313-cp313-manylinux_2_17_x86_64'], purelib })

  it('makes a wheel that passes every check', async () => {
    const path = await retag(await write(await zip(linux(native))))
    expect(path).toBe(join(folder, FINAL))
    const verdict = await verifyWheel({ filename: FINAL, members: await readWheel(path), project: 'Demo', version: '1.0', target, muslRelease: '1.2.5', expected: 'native', outside: [], sha256 })
    expect(verdict).toMatchObject({ ok: true, native: true, lowestMusl: '1.2.0' })
  })

  it('changes WHEEL and RECORD alone', async () => {
    const before = linux(native)
    const after = await contentsOf(await retag(await write(await zip(before))))
    expect(after['demo-1.0.dist-info/WHEEL']).toBe('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nBuild: 3\nTag: cp313-cp313-musllinux_1_2_x86_64\n')
    const changed = Object.keys(before).filter((name) => after[name] !== (typeof before[name] === 'string' ? before[name] : new TextDecoder().decode(before[name])))
    expect(changed).toEqual(['demo-1.0.dist-info/WHEEL', 'demo-1.0.dist-info/RECORD'])
    expect(Object.keys(after)).toEqual(['demo/__init__.py', 'demo/_x.so', 'demo/run', 'demo-1.0.dist-info/METADATA', 'demo-1.0.dist-info/WHEEL', 'demo-1.0.dist-info/RECORD'])
  })

  it('adds texts to the .dist-info folder, and lists them', async () => {
    const path = await retagWheel({ path: await write(await zip(linux({ ...native, 'demo-1.0.dist-info/sboms/x.json': 'old' }))), to: folder, filename: FINAL, number: 3, target, add: { 'sboms/x.json': 'new' } })
    expect(await contentsOf(path)).toMatchObject({ 'demo-1.0.dist-info/sboms/x.json': 'new' })
    const verdict = await verifyWheel({ filename: FINAL, members: await readWheel(path), project: 'Demo', version: '1.0', target, muslRelease: '1.2.5', expected: 'native', outside: [], sha256 })
    expect(verdict).toMatchObject({ ok: true })
  })

  it('keeps modes, but for what lends rights', async () => {
    const bytes = Buffer.from(await zip(linux(native), ['demo/run']))
    for (let at = bytes.indexOf('PK\x01\x02', 'latin1'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4, 'latin1')) bytes[at + 41]! |= 0o7000 >> 8
    const path = await retag(await write(bytes))
    const modes = Object.fromEntries((await entriesOf(path)).map((entry) => [entry.filename, entry.externalFileAttributes >>> 16]))
    expect(modes).toMatchObject({ 'demo/run': 0o100755, 'demo/__init__.py': 0o100644, 'demo-1.0.dist-info/RECORD': 0o100644 })
  })

  it('gives the same bytes whenever it runs', async () => {
    const first = await readFile(await retag(await write(await zip(linux(native)))))
    await rm(join(folder, FINAL))
    const other = await zip(linux(native))
    const { TZ } = process.env
    process.env['TZ'] = 'Pacific/Auckland'
    const second = await readFile(await retag(await write(other)))
    if (TZ === undefined) delete process.env['TZ']
    else process.env['TZ'] = TZ
    expect(second.equals(first)).toBe(true)
    expect((await entriesOf(join(folder, FINAL))).map((entry) => entry.rawLastModDate)).toEqual(Object.keys(linux(native)).map(() => 0x00210000))
  })

  it('drops signatures of the old RECORD', async () => {
    const contents = linux(native)
    const signed = { ...contents, 'demo-1.0.dist-info/RECORD': `${String(contents['demo-1.0.dist-info/RECORD'])}demo-1.0.dist-info/RECORD.jws,,\n`, 'demo-1.0.dist-info/RECORD.jws': '{}' }
    const after = await contentsOf(await retag(await write(await zip(signed))))
    expect(Object.keys(after)).not.toContain('demo-1.0.dist-info/RECORD.jws')
    expect(after['demo-1.0.dist-info/RECORD']).not.toContain('jws')
  })

  it('gives the same bytes whatever the order of the members, and without their folders', async () => {
    const members = Object.entries(linux(native))
    const first = await readFile(await retag(await write(await zip(Object.fromEntries(members)))))
    await rm(join(folder, FINAL))
    const second = await readFile(await retag(await write(await zip({ 'demo/': '', ...Object.fromEntries(members.toReversed()) }))))
    expect(second.equals(first)).toBe(true)
  })

  it('copies what is empty', async () => {
    const path = await retag(await write(await zip(linux({ ...native, 'demo/empty.py': '' }))))
    expect(await contentsOf(path)).toMatchObject({ 'demo/empty.py': '' })
  })

  it('leaves nothing behind when it fails', async () => {
    const bytes = Buffer.from(await zip(linux({ ...native, 'demo/big.py': 'x'.repeat(9999) })))
    // The local header of one member contradicts the directory: seen only when that member is copied.
    bytes[bytes.indexOf('demo/run')] = 0x44
    await expect(retag(await write(bytes))).rejects.toThrow(WheelError)
    expect(await readdir(folder)).toEqual(['in.whl'])
    await expect(retag(await write(await zip({ 'demo/__init__.py': '' })))).rejects.toThrow(/no WHEEL/)
  })

  it('refuses a name that says something else', async () => {
    const path = await write(await zip(linux(native)))
    for (const filename of ['demo-1.0-cp313-cp313-musllinux_1_2_x86_64.whl', 'demo-1.0-3-cp313-cp313-musllinux_1_2_aarch64.whl', 'demo.whl']) {
      await expect(retagWheel({ path, to: folder, filename, number: 3, target })).rejects.toThrow(/does not name build 3/)
    }
  })
})
