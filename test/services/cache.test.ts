import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { makeRig, type Options, type Rig } from '../http/rig.ts'
import { sha256 } from '../synthetic-upstream.ts'

const MB = 1_000_000
const NAMES = ['a', 'b', 'c', 'd']
let rig: Rig
afterEach(() => rig.close())

/** Four projects with a wheel of a megabyte each, listed. */
async function begin(options: Options): Promise<void> {
  rig = await makeRig(options)
  for (const name of NAMES) {
    rig.upstream.project(name, [{ filename: wheel(name), bytes: bytesOf(name), metadata: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1\n` }])
    expect((await rig.get(`/simple/${name}/`)).status).toBe(200)
  }
}

const wheel = (name: string) => `${name}-1-py3-none-any.whl`
const bytesOf = (name: string) => Buffer.alloc(MB, name)
const path = (name: string) => `/files/${sha256(bytesOf(name))}/${wheel(name)}`

async function download(name: string): Promise<void> {
  const { status, body } = await rig.get(path(name))
  expect([status, body.equals(bytesOf(name))]).toEqual([200, true])
  // Uses are told apart by their time.
  await rig.clock.advance(11 * 60_000)
  await rig.cache.flush()
}

const here = async () => (await Promise.all(NAMES.map(async (name) => (await rig.blobs.stat(sha256(bytesOf(name)))) && name))).filter(Boolean).join('')
const fetches = (name: string) => rig.upstream.requests.filter((line) => line.endsWith(wheel(name))).length

test('without a limit nothing that was seen is lost', async () => {
  await begin({})
  for (const name of NAMES) await download(name)
  rig.upstream.break(500)
  for (const name of NAMES) await download(name)
  expect(await here()).toBe('abcd')
  expect(await rig.store.cache.total()).toEqual({ files: 4, bytes: 4 * MB })
})

test('at a limit those go that were not used for longest, and come back when they are asked for', async () => {
  await begin({ cacheSize: 3 * MB })
  for (const name of ['a', 'b', 'c', 'a', 'd']) await download(name)
  expect(await here(), 'a was used again, and room is made for a while').toBe('ad')
  expect(await rig.store.cache.total()).toEqual({ files: 2, bytes: 2 * MB })
  expect((await rig.get(`${path('b')}.metadata`)).status, 'METADATA stay').toBe(200)
  expect([fetches('a'), fetches('b')]).toEqual([1, 1])
  await download('b')
  expect([await here(), fetches('b')]).toEqual(['abd', 2])
})

test('a file that is being read is read to its end', async () => {
  await begin({ cacheSize: 1.5 * MB })
  await download('a')
  const reading = await rig.blobs.read(sha256(bytesOf('a')))
  await once(reading, 'readable')
  await download('b')
  expect(await here()).toBe('b')
  expect((await buffer(reading)).equals(bytesOf('a'))).toBe(true)
})

test('what was built is never taken away, though the upstream lists the same bytes, nor what builds need', async () => {
  await begin({ cacheSize: 1.5 * MB })
  const sdist = Buffer.alloc(MB, 's')
  rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: sdist }])
  await rig.ready()
  expect((await rig.get(`/files/${sha256(sdist)}/demo-1.0.tar.gz`)).status).toBe(404)
  await rig.get('/simple/demo/')
  expect((await rig.get(`/files/${sha256(sdist)}/demo-1.0.tar.gz`)).status).toBe(200)
  await rig.store.jobs.wish({ kind: 'build', project: 'demo', version: '1.0', sdist: { sha256: sha256(sdist), filename: 'demo-1.0.tar.gz' }, target: 'cp313-musllinux_1_2_x86_64', recipe: '', image: 'image-1', priority: 40, askedBy: 'x' }, 1)
  await rig.publish(await rig.claim(), bytesOf('a'), 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
  for (const name of NAMES) await download(name)
  expect(await here(), 'a is our wheel too').toBe('ad')
  expect(await rig.blobs.stat(sha256(sdist))).toBeDefined()
  expect(await rig.store.cache.held()).toBe(2 * MB)
})

test('what the upstream lists no more stays, and what is of another upstream than the one that is asked now', async () => {
  await begin({ cacheSize: 1.5 * MB })
  await download('a')
  rig.upstream.project('a', [])
  await rig.get('/simple/a/')
  await download('b')
  expect(await here(), 'a cannot be fetched again').toBe('ab')
  await rig.store.cache.setUpstream('https://other.example/', rig.clock.now())
  await rig.get('/simple/c/')
  await rig.clock.advance(10 * 60_000)
  await download('c')
  expect(await here(), 'nor b, for all that is known').toBe('abc')
  for (const name of ['b', 'c', 'd']) await rig.get(`/simple/${name}/`)
  await download('d')
  expect(await here(), 'what the new one lists may go').toBe('ad')
})

test('what its own page lists no more stays, though another project\'s page names it', async () => {
  await begin({ cacheSize: 1.5 * MB })
  await download('a')
  rig.upstream.project('a', [])
  rig.upstream.project('evil', [{ filename: wheel('a'), bytes: bytesOf('a') }, { filename: wheel('evil'), bytes: bytesOf('a') }])
  for (const name of ['a', 'evil']) await rig.get(`/simple/${name}/`)
  for (const name of ['b', 'c']) await download(name)
  expect(await here()).toBe('ac')
})

test('what lay there before the first start is counted, once', async () => {
  await begin({})
  for (const name of NAMES) await download(name)
  for (const { sha256: digest, usedAt } of await rig.store.cache.oldest(9)) await rig.store.cache.forget(digest, usedAt)
  expect((await rig.store.cache.total()).files).toBe(0)
  await rig.cache.count()
  expect(await rig.store.cache.total()).toEqual({ files: 4, bytes: 4 * MB })
})
