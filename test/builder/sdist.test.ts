import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSdist } from '../../src/builder/sdist.ts'
import { zip } from '../fixtures/make-wheel.ts'

type Entry = Partial<Header> & { name: string; text?: string }

let folder: string
let count = 0
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-sdist-')) })
afterAll(() => rm(folder, { recursive: true }))

const BOUNDS = { entries: 100, bytes: 1 << 20 }

async function tarGz(entries: Entry[]): Promise<string> {
  const archive = pack()
  for (const { text, ...header } of entries) archive.entry(header, text ?? '')
  archive.finalize()
  const path = join(folder, `${++count}.tar.gz`)
  await pipeline(archive as unknown as NodeJS.ReadableStream, createGzip(), createWriteStream(path))
  return path
}

const failure = (path: string, bounds = BOUNDS) => readSdist(path, bounds).then(() => 'read', (error: { failure: { class: string; key: string } }) => error.failure)

describe('a sound sdist', () => {
  test('gives its texts and the endings of what it compiles', async () => {
    const path = await tarGz([
      { name: 'demo-1.0/', type: 'directory' },
      { name: 'demo-1.0/PKG-INFO', text: 'Name: demo\n' },
      { name: 'demo-1.0/pyproject.toml', text: '\uFEFF[build-system]\n' },
      { name: 'demo-1.0/src/PKG-INFO', text: 'Name: other\n' },
      { name: 'demo-1.0/src/a.C', text: 'int a;' },
      { name: 'demo-1.0/src/b.pyx' },
      { name: 'demo-1.0/src/include.h' },
      { name: 'demo-1.0/doc', type: 'symlink', linkname: './src/../src' },
      { name: 'demo-1.0/again.c', type: 'link', linkname: 'demo-1.0/src/a.C' },
    ])
    expect(await readSdist(path, BOUNDS)).toEqual({
      folder: 'demo-1.0', entries: 9, bytes: 11 + 18 + 12 + 6,
      texts: new Map([['PKG-INFO', 'Name: demo\n'], ['pyproject.toml', '[build-system]\n'], ['src/b.pyx', '']]),
      sources: [{ ending: '.c', files: 1, bytes: 6 }, { ending: '.pyx', files: 1, bytes: 0 }],
      scripts: [],
    })
  })

  test('may be a zip file, and may begin its names with a dot', async () => {
    const path = join(folder, 'demo.zip')
    await writeFile(path, await zip({ 'demo-1.0/setup.py': 'setup()', 'demo-1.0/x.cpp': '' }))
    expect(await readSdist(path, BOUNDS)).toMatchObject({ folder: 'demo-1.0', texts: new Map([['setup.py', 'setup()']]), sources: [{ ending: '.cpp', files: 1, bytes: 0 }] })
    expect(await readSdist(await tarGz([{ name: './demo-1.0/setup.cfg', text: 'x' }]), BOUNDS)).toMatchObject({ folder: 'demo-1.0', texts: new Map([['setup.cfg', 'x']]) })
  })
})

describe('refused as bad-sdist', () => {
  const file = { name: 'demo-1.0/setup.py', text: 'x' }
  test.each<[string, Entry[], RegExp]>([
    ['a path that climbs', [file, { name: 'demo-1.0/../../etc/passwd', text: 'x' }], /leads outside/],
    ['an absolute path', [file, { name: '/etc/passwd', text: 'x' }], /not relative/],
    ['two folders', [file, { name: 'other/x', text: 'x' }], /more than one top-level folder/],
    ['a file beside the folder', [{ name: 'demo-1.0', text: 'x' }], /outside its top-level folder/],
    ['a symbolic link out', [file, { name: 'demo-1.0/l', type: 'symlink', linkname: '../../etc' }], /link "demo-1.0\/l" points outside/],
    ['a symbolic link to a sibling folder', [file, { name: 'demo-1.0/l', type: 'symlink', linkname: '../other/x' }], /points outside/],
    ['an absolute link', [file, { name: 'demo-1.0/l', type: 'symlink', linkname: '/etc/passwd' }], /points outside/],
    ['a hard link out', [file, { name: 'demo-1.0/l', type: 'link', linkname: '../x' }], /points outside/],
    ['a device', [file, { name: 'demo-1.0/d', type: 'character-device' }], /neither a file/],
    ['nothing in it', [], /empty/],
  ])('%s', async (_, entries, key) => {
    expect(await failure(await tarGz(entries))).toEqual({ class: 'bad-sdist', key: expect.stringMatching(key) })
  })

  test('too many entries', async () => {
    const path = await tarGz(Array.from({ length: 101 }, (_, index) => ({ name: `demo-1.0/${index}`, text: '' })))
    expect(await failure(path)).toMatchObject({ key: 'it holds more than 100 entries' })
  })

  test('a bomb, by the size that it claims and by what comes out', async () => {
    const big = await tarGz([{ name: 'demo-1.0/zeros', text: '0'.repeat(2 << 20) }])
    expect(await failure(big)).toMatchObject({ key: expect.stringMatching(/unpacks to more than/) })
    const path = join(folder, 'bomb.tar.gz')
    await writeFile(path, gzipSync(Buffer.alloc(8 << 20)))
    expect(await failure(path, { entries: 1, bytes: 1 << 20 })).toMatchObject({ key: expect.stringMatching(/unpacks to more than/) })
  })

  test.each(['cut.tar.gz', 'text.tar.gz', 'text.zip'])('what is no archive: %s', async (name) => {
    const whole = await tarGz([{ name: 'demo-1.0/x', text: 'x'.repeat(2000) }])
    const path = join(folder, name)
    await writeFile(path, name.startsWith('cut') ? (await readFile(whole)).subarray(0, 60) : 'no archive')
    expect(await failure(path)).toMatchObject({ class: 'bad-sdist', key: expect.stringMatching(/no readable archive/) })
  })
})

test('our own trouble is not the sdist\'s', async () => {
  await expect(readSdist(join(folder, 'absent.tar.gz'), BOUNDS)).rejects.toMatchObject({ code: 'ENOENT' })
})
