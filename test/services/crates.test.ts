import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCrates } from '../../src/services/crates.ts'
import type { OpenFile } from '../../src/services/files.ts'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { createRemoteFiles } from '../../src/upstream/remote-files.ts'
import { makeCrate, registryListener } from '../fixtures/registry.ts'
import { manualClock, type ManualClock } from '../manual-clock.ts'
import { startServer, type TestServer } from '../upstream/index-server.ts'

const log = pino({ level: 'silent' })
const [one, lied] = [makeCrate({ name: 'one', lib: '// one' }), makeCrate({ name: 'lied' })]
let folder: string
let registry: TestServer
let closers: (() => Promise<void> | void)[]
let clock: ManualClock
beforeEach(async () => {
  clock = manualClock()
  closers = []
  folder = await mkdtemp(join(tmpdir(), 'muslin-crates-'))
  registry = await startServer(registryListener([one, lied], { 'lied 1.0.0': Buffer.from('something else') }))
})
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  await registry.close()
  await rm(folder, { recursive: true })
})

/** Any number of them share one store. */
function crates(url = `${registry.origin}/index/`) {
  const store = openSqlite({ file: join(folder, 'muslin.db') })
  const blobs = createDiskBlobs({ folder: join(folder, 'blobs') })
  const remote = createRemoteFiles({ address: url, setting: 'cratesIndex', ca: undefined, instance: 'this-one', log, clock })
  closers.push(() => store.close(), () => blobs.close(), () => remote.close())
  return { blobs, store, ...createCrates({ kept: store.kept, blobs, remote, registry: url, clock, log }) }
}

async function bytes(file: Promise<OpenFile>): Promise<Buffer> {
  const { body } = await (await file).read()
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const asked = () => registry.requests.map(({ url }) => url)

describe('a crate', () => {
  test('is fetched once, checked and kept: it is served when the registry is gone', async () => {
    const { crate } = crates()
    const [first, second] = await Promise.all([bytes(crate('one', '1.0.0')), bytes(crate('one', '1.0.0'))])
    expect(first.equals(one.bytes) && second.equals(one.bytes)).toBe(true)
    expect(asked().toSorted()).toEqual(['/files/one-1.0.0.crate', '/index/3/o/one', '/index/config.json'])
    await registry.close()
    await clock.advance(365 * 24 * 3600_000)
    expect((await bytes(crates().crate('one', '1.0.0'))).equals(one.bytes)).toBe(true)
    expect(await crate('one', '1.0.0')).toMatchObject({ sha256: one.checksum, size: one.bytes.length })
  })

  test('of other bytes than the index says is refused, and nothing of it is kept', async () => {
    const { crate, store } = crates()
    await expect(crate('lied', '1.0.0')).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(await store.kept.get('crates/lied/1.0.0')).toBeUndefined()
    await registry.close()
    await expect(crate('lied', '1.0.0')).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test.each([['one', '2.0.0'], ['two', '1.0.0'], ['one', '../../x'], ['../one', '1.0.0'], ['', '1.0.0']])('that the registry does not have: %s %s', async (name, version) => {
    await expect(crates().crate(name, version)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('whose bytes somebody removed is fetched anew', async () => {
    const { crate, blobs } = crates()
    await crate('one', '1.0.0')
    await blobs.remove(one.checksum)
    expect((await bytes(crate('one', '1.0.0'))).equals(one.bytes)).toBe(true)
  })

  test('cannot be had where no registry is set, unless it is kept', async () => {
    const { crate, store, blobs } = crates()
    await crate('one', '1.0.0')
    const remote = { get: () => { throw new Error('nobody is asked') } }
    const nowhere = createCrates({ kept: store.kept, blobs, remote, registry: undefined, clock, log })
    expect((await bytes(nowhere.crate('one', '1.0.0'))).equals(one.bytes)).toBe(true)
    await expect(nowhere.crate('two', '1.0.0')).rejects.toMatchObject({ code: 'no-crates-index', detail: expect.stringContaining('cratesIndex') })
  })
})

describe('the index', () => {
  test('is passed through as it is, asked for again after ten minutes, and kept for when the registry is gone', async () => {
    const { index } = crates()
    const text = (await bytes(index('one'))).toString()
    expect(JSON.parse(text)).toMatchObject({ name: 'one', vers: '1.0.0', cksum: one.checksum })
    await index('one')
    expect(asked()).toHaveLength(1)
    await clock.advance(11 * 60_000)
    await index('one')
    expect(registry.requests.at(-1)!.headers['if-none-match']).toBe('"1"')
    await registry.close()
    await clock.advance(11 * 60_000)
    expect((await bytes(index('one'))).toString()).toBe(text)
    await expect(index('never')).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test('that is a page about something else is refused', async () => {
    const page = await startServer((_, response) => response.end('<html>Sign in</html>'))
    closers.push(() => page.close())
    await expect(crates(`${page.origin}/index/`).index('one')).rejects.toMatchObject({ code: 'upstream-bad-answer' })
  })
})
