/** The thread that reads sdists: every kind of them, within its bounds, and without holding up this process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSdist, sdistName } from '../../src/builder/sdist.ts'
import { END, raw } from '../fixtures/make-tar.ts'
import { rawZip } from '../fixtures/make-zip.ts'
import { BZ2, BZ2_BOMB, XZ, XZ_BOMB } from '../fixtures/packed-tars.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-sdist-')) })
afterAll(() => rm(folder, { recursive: true }))

const BOUNDS = { entries: 100, bytes: 1 << 20 }
const TAR = Buffer.concat([raw({ name: 'demo-1.0/setup.py' }, 'setup()'), END])

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

const failure = (path: string, bounds: Parameters<typeof readSdist>[1] = BOUNDS) => readSdist(path, bounds).then(() => 'read', (error: { failure?: object }) => error.failure ?? error)

describe('a sound sdist', () => {
  test('gives its texts, what it compiles and what it runs', async () => {
    const path = await file('whole.tar.gz', gzipSync(Buffer.concat([
      raw({ name: 'demo-1.0/', type: '5' }),
      raw({ name: 'demo-1.0/PKG-INFO' }, 'Name: demo\n'),
      raw({ name: 'demo-1.0/pyproject.toml' }, '\uFEFF[build-system]\n'),
      raw({ name: 'demo-1.0/vendor/PKG-INFO' }, 'Name: other\n'),
      raw({ name: 'demo-1.0/src/a.C' }, 'int a;'),
      raw({ name: 'demo-1.0/src/b.c' }, 'int b;;'),
      raw({ name: 'demo-1.0/src/c.pyx' }),
      raw({ name: 'demo-1.0/src/include.h' }),
      raw({ name: 'demo-1.0/vendor/configure.ac' }),
      raw({ name: 'demo-1.0/doc', type: '2', linkname: './src/../src' }),
      END,
    ])))
    expect(await readSdist(path, BOUNDS)).toEqual({
      folder: 'demo-1.0', entries: 10, bytes: 11 + 18 + 12 + 6 + 7,
      texts: new Map([['PKG-INFO', 'Name: demo\n'], ['pyproject.toml', '[build-system]\n'], ['src/c.pyx', '']]),
      sources: [{ ending: '.c', files: 2, bytes: 13 }, { ending: '.pyx', files: 1, bytes: 0 }],
      scripts: ['vendor/configure.ac'],
    })
  })

  test.each<[string, Buffer]>([
    ['.tar.gz', gzipSync(TAR)], ['.tgz', gzipSync(TAR)], ['.tar.bz2', BZ2], ['.tbz', BZ2], ['.tar.xz', XZ], ['.txz', XZ], ['.tar', TAR],
    ['.zip', rawZip([{ name: 'demo-1.0/setup.py', body: 'setup()' }])],
  ])('may end in %s', async (suffix, bytes) => {
    expect(await readSdist(await file(`demo-1.0${suffix}`, bytes), BOUNDS)).toMatchObject({ folder: 'demo-1.0', entries: 1, texts: new Map([['setup.py', 'setup()']]) })
    expect(sdistName(`demo-1.0${suffix}`)).toBe(`sdist${suffix}`)
  })

  test('may be of several gzip members: all are read, as Python does', async () => {
    const [first, rest] = [TAR.subarray(0, 700), TAR.subarray(700)]
    expect(await readSdist(await file('members.tar.gz', Buffer.concat([gzipSync(first), gzipSync(rest), Buffer.alloc(5000)])), BOUNDS)).toMatchObject({ entries: 1 })
    const climbing = gzipSync(Buffer.concat([raw({ name: 'demo-1.0/../x' }), END]))
    expect(await failure(await file('climbing.tar.gz', Buffer.concat([gzipSync(TAR.subarray(0, 1024)), climbing])))).toMatchObject({ key: expect.stringMatching(/leads outside/) })
  })
})

describe('refused as bad-sdist', () => {
  test.each<[string, Buffer, RegExp]>([
    ['cut.tar.gz', gzipSync(TAR).subarray(0, 40), /no readable archive/],
    ['text.tar.gz', Buffer.from('no archive'), /no readable archive/],
    ['garbage.tar.gz', Buffer.concat([gzipSync(TAR), Buffer.from('garbage')]), /no readable archive/],
    ['later-garbage.tar.gz', Buffer.concat([gzipSync(TAR), Buffer.alloc(512), Buffer.from('garbage')]), /bytes follow behind its end/],
    ['cut.tar.bz2', BZ2.subarray(0, -20), /no readable archive/],
    ['text.tar.bz2', Buffer.from('no archive'), /no readable archive/],
    ['garbage.tar.bz2', Buffer.concat([BZ2, Buffer.from('garbage')]), /no readable archive/],
    ['damaged.tar.bz2', Buffer.from(BZ2).fill(0, 60, 64), /no readable archive|damaged/],
    ['cut.tar.xz', XZ.subarray(0, -20), /no readable archive/],
    ['text.tar.xz', Buffer.from('no archive'), /no readable archive/],
    ['garbage.tar.xz', Buffer.concat([XZ, Buffer.from('garbage')]), /no readable archive/],
    ['text.zip', Buffer.from('no archive'), /no readable archive/],
    ['empty.tar.gz', Buffer.alloc(0), /no readable archive|empty/],
    ['demo-1.0.tar.Z', Buffer.from('\x1f\x9d'), /of no kind that pip unpacks/],
  ])('%s', async (name, bytes, key) => {
    expect(await failure(await file(name, bytes))).toEqual({ class: 'bad-sdist', key: expect.stringMatching(key) })
  })

  test.each<[string, Buffer]>([
    ['bomb.tar.gz', gzipSync(Buffer.concat([raw({ name: 'demo-1.0/zeros', size: 64 << 20 }), Buffer.alloc(64 << 20)]))],
    ['bomb.tar.bz2', BZ2_BOMB],
    ['bomb.tar.xz', XZ_BOMB],
    // What no header speaks of.
    ['behind.tar.gz', gzipSync(Buffer.concat([TAR, Buffer.alloc(64 << 20)]))],
  ])('%s', async (name, bytes) => {
    expect(bytes.length).toBeLessThan(70_000)
    expect(await failure(await file(name, bytes))).toEqual({ class: 'bad-sdist', key: 'it unpacks to more than 1048576 bytes' })
  })

  test('200,000 entries', async () => {
    const header = raw({ name: 'demo-1.0/same', type: '5' })
    const many = Buffer.alloc(header.length * 200_001)
    for (let at = 0; at < many.length; at += header.length) many.set(header, at)
    expect(await failure(await file('many.tar.gz', gzipSync(many)), { entries: 200_000, bytes: 1 << 20 })).toMatchObject({ key: 'it holds more than 200000 entries' })
  })
})

describe('time', () => {
  const slow = () => file('slow.tar.bz2', BZ2_BOMB)
  const large = { entries: 100, bytes: 1 << 30 }

  test('is bounded, whatever the thread is doing', async () => {
    expect(await failure(await slow(), { ...large, seconds: 0.2 })).toEqual({ class: 'timed-out', key: '0.2 s to be read' })
  })

  test('ends with the signal, before it begins and while it reads', async () => {
    const reason = new Error('the lease was lost')
    await expect(readSdist(await slow(), large, AbortSignal.abort(reason))).rejects.toBe(reason)
    const stop = new AbortController()
    const reading = readSdist(await slow(), large, stop.signal)
    stop.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })

  test('is not taken from this process', async () => {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const began = performance.now()
    await readSdist(await slow(), large)
    delay.disable()
    const took = performance.now() - began
    // In this thread it would be all of it.
    expect(delay.max / 1e6).toBeLessThan(took / 2)
  })
})

test('our own trouble is not the sdist\'s', async () => {
  for (const name of ['absent.tar.gz', 'absent.tar.bz2', 'absent.tar.xz', 'absent.zip']) await expect(readSdist(join(folder, name), BOUNDS)).rejects.toMatchObject({ code: 'ENOENT' })
})
