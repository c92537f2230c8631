/** Every way in which a zip file can be more than its files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArchive } from '../../src/builder/sdist-read.ts'
import { rawZip, unicodePath } from '../fixtures/make-zip.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-zip-')) })
afterAll(() => rm(folder, { recursive: true }))

async function read(bytes: Buffer, bounds = { entries: 100, bytes: 1 << 20 }) {
  const path = join(folder, `${crypto.randomUUID()}.zip`)
  await writeFile(path, bytes)
  return readArchive(path, bounds)
}

const failure = (bytes: Buffer) => read(bytes).then(() => 'read', (error: { failure?: object }) => error.failure ?? error)
const README = 'demo-1.0/readme.txt'
const setup = { name: 'demo-1.0/setup.py', body: 'setup()' }

test('a sound one is read', async () => {
  const entries = [{ name: 'demo-1.0/', mode: 0o040755 }, setup, { name: 'demo-1.0/src/a.c', body: 'int a;', method: 0 }, { name: 'demo-1.0/caf\u00e9', flags: 0x800 }, { name: 'demo-1.0/no-mode', mode: 0 }]
  expect(await read(rawZip(entries))).toEqual({
    folder: 'demo-1.0', entries: 5, bytes: 13, texts: new Map([['setup.py', 'setup()']]), sources: [{ ending: '.c', files: 1, bytes: 6 }], scripts: [],
  })
})

test('a name that is told a second time is read', async () => {
  expect(await read(rawZip([{ ...setup, extra: Buffer.concat([Buffer.from([0x55, 0x54, 1, 0, 0]), unicodePath(setup.name, setup.name)]) }]))).toMatchObject({ texts: new Map([['setup.py', 'setup()']]) })
})

describe('refused', () => {
  test.each<[string, Buffer, RegExp]>([
    ['a path that climbs', rawZip([setup, { name: 'demo-1.0/../../x' }]), /leads outside/],
    ['an absolute path', rawZip([setup, { name: '/etc/passwd' }]), /is absolute/],
    ['a drive', rawZip([setup, { name: 'C:/x' }]), /begins with a drive/],
    ['backslashes', rawZip([{ name: 'demo-1.0\\setup.py' }]), /backslash/],
    ['a NUL, where zipfile would end the name', rawZip([setup, { name: 'demo-1.0/pyproject.toml\0.txt' }]), /control character/],
    ['a control character', rawZip([setup, { name: 'demo-1.0/\r\n' }]), /control character/],
    ['a name that is not the UTF-8 that it claims to be', rawZip([setup, { name: Buffer.from('demo-1.0/caf\xe9', 'latin1'), flags: 0x800 }]), /is not UTF-8/],
    ['a long name', rawZip([setup, { name: `demo-1.0/${'a'.repeat(300)}` }]), /is too long/],
    ['a symbolic link', rawZip([setup, { name: 'demo-1.0/l', body: '/etc/passwd', mode: 0o120777 }]), /"demo-1.0\/l" is neither a file nor a folder/],
    ['a device', rawZip([setup, { name: 'demo-1.0/l', mode: 0o020666 }]), /neither a file nor a folder/],
    ['a file with a folder\'s name', rawZip([setup, { name: 'demo-1.0/a/', body: 'x' }]), /is a file and a folder/],
    ['a folder with a file\'s name', rawZip([setup, { name: 'demo-1.0/a', mode: 0o040755 }]), /is a file and a folder/],
    ['a file twice', rawZip([setup, setup]), /holds "demo-1.0\/setup.py" twice/],
    ['a file, then a file in it', rawZip([setup, { name: 'demo-1.0/a' }, { name: 'demo-1.0/a/b' }]), /is a file and a folder/],
    ['a member of another name than the directory says', rawZip([{ ...setup, localName: 'demo-1.0/other.py' }]), /mismatched local file header \(filename\)/],
    ['a name beside which zipfile finds another', rawZip([setup, { name: README, extra: unicodePath(README, 'demo-1.0/pyproject.toml') }]), /"demo-1.0\/readme.txt" has two names/],
    ['the second of two such names', rawZip([setup, { name: README, extra: Buffer.concat([unicodePath(README, README), unicodePath(README, '../x')]) }]), /has two names/],
    ['an encrypted member', rawZip([setup, { name: 'demo-1.0/secret', body: 'x'.repeat(20), flags: 1 }]), /"demo-1.0\/secret" is encrypted/],
    ['a method that few know', rawZip([setup, { name: 'demo-1.0/x', method: 99 }]), /packed by a method/],
    ['members that share their bytes', rawZip([setup, { name: 'demo-1.0/a', body: 'x' }, { name: 'demo-1.0/a', at: 1 }]), /twice/],
    ['members of two names that share their bytes', rawZip([{ name: 'demo-1.0/aa', body: 'x' }, { name: 'demo-1.0/bb', body: 'x', at: 0 }]), /mismatched|verlapping/],
    ['a size beyond all bounds', rawZip([setup, { name: 'demo-1.0/big', size: 2 ** 31 }]), /unpacks to more than 1048576 bytes/],
    ['a member that unpacks to more than it says', rawZip([{ ...setup, body: 'x'.repeat(100_000), size: 10 }]), /no readable archive/],
    ['a directory that is cut', rawZip([setup, { name: 'demo-1.0/x' }], { count: 5 }), /no readable archive/],
    ['a directory that hides a member', rawZip([setup, { name: 'demo-1.0/x' }], { count: 1 }), /no readable archive/],
    ['bytes before it', rawZip([setup], { before: Buffer.from('#!/bin/sh\n') }), /prepended data/],
    ['bytes behind it', rawZip([setup], { behind: Buffer.from('more') }), /appended data/],
    ['a second archive behind it', rawZip([setup], { behind: rawZip([{ ...setup, body: 'evil()' }]) }), /no readable archive|prepended/],
    ['nothing in it', rawZip([]), /empty/],
    ['two folders', rawZip([setup, { name: 'other/x' }]), /more than one top-level folder/],
    ['no folder', rawZip([{ name: 'setup.py' }]), /outside its top-level folder/],
    ['one that is cut', rawZip([setup]).subarray(0, -10), /no readable archive/],
  ])('%s', async (_, bytes, key) => {
    expect(await failure(bytes)).toEqual({ class: 'bad-sdist', key: expect.stringMatching(key) })
  })

  test('a small file that unpacks to a large one', async () => {
    const bomb = rawZip([setup, { name: 'demo-1.0/zeros', body: Buffer.alloc(8 << 20) }])
    expect(bomb.length).toBeLessThan(20_000)
    expect(await failure(bomb)).toMatchObject({ key: 'it unpacks to more than 1048576 bytes' })
  })

  test('more entries than there may be', async () => {
    expect(await failure(rawZip(Array.from({ length: 101 }, (_, index) => ({ name: `demo-1.0/${index}` }))))).toMatchObject({ key: 'it holds more than 100 entries' })
  })
})
