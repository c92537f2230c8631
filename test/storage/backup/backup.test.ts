import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, readlink, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { extract, type Header, pack } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { claimProcessFolder } from '../../../src/storage/process-folder.ts'
import { openSqlite } from '../../../src/storage/sqlite/open.ts'
import { makeUpkeepBench, sha256, type UpkeepBench, WHEEL } from '../../services/upkeep-bench.ts'
import { temporaryFolder } from '../folder.ts'

let bench: UpkeepBench
let folder: string
let remove: () => Promise<void>
/** A whole backup, not compressed, and its entries. */
let whole: Buffer
let entries: Entry[]
let data: string
let number = 0
beforeAll(async () => {
  ({ folder, remove } = await temporaryFolder())
  bench = await makeUpkeepBench()
  await writeFile(join(bench.folder, 'admin-token'), 'the token of the admin, long enough\n', { mode: 0o600 })
  await backup(join(folder, 'whole.tar'))
  whole = await readFile(join(folder, 'whole.tar'))
  entries = await entriesOf(whole)
})
afterAll(async () => {
  await bench.close()
  await remove()
})
beforeEach(() => { data = join(folder, `restored-${number += 1}`) })

interface Entry { header: Header; body: Buffer }

const backup = (file: string, { cache = true, compress = false } = {}) => bench.upkeep.backup({ out: createWriteStream(file), compress, cache })
const restore = (bytes: Buffer, { force = false } = {}) => bench.upkeepAt({ data }).restore({ source: Readable.from([bytes]), force })
const refused = (detail: RegExp) => expect.objectContaining({ code: 'bad-backup', detail: expect.stringMatching(detail) })

async function entriesOf(tar: Buffer): Promise<Entry[]> {
  const archive = extract()
  const flow = pipeline(Readable.from([tar]), archive as unknown as NodeJS.WritableStream)
  const found: Entry[] = []
  for await (const entry of archive) found.push({ header: entry.header, body: await buffer(entry as unknown as Readable) })
  await flow
  return found
}

async function tarOf(all: (Omit<Entry, 'header'> & { header: Partial<Header> & { name: string } })[]): Promise<Buffer> {
  const archive = pack()
  const whole = buffer(archive as unknown as Readable)
  for (const { header, body } of all) archive.entry({ name: header.name, type: header.type ?? 'file', mode: 0o600, ...header.linkname && { linkname: header.linkname }, size: header.type === 'symlink' ? 0 : body.length }, header.type === 'symlink' ? '' : body)
  archive.finalize()
  return whole
}

test('a data folder comes back as it was, and is whole', async () => {
  const { things } = bench
  const report = await bench.upkeepAt({ data }).restore({ source: join(folder, 'whole.tar'), force: false })
  expect(report).toMatchObject({ blobs: 9, logs: 1, gone: [], withCache: true, moved: undefined })
  const { loose, job: _, build, ...held } = things
  const restored = (digest: string) => join(data, 'blobs/sha256', digest.slice(0, 2), digest.slice(2, 4), digest)
  for (const digest of Object.values(held)) expect(sha256(await readFile(restored(digest)))).toBe(digest)
  await expect(stat(restored(loose)), 'what nothing refers to').rejects.toThrow('ENOENT')
  expect(String(await readFile(join(data, `logs/${build}.log`)))).toBe('it was built\n')
  expect(String(await readFile(join(data, 'admin-token')))).toContain('the token of the admin')
  for (const name of ['admin-token', 'muslin.db']) expect((await stat(join(data, name))).mode & 0o777).toBe(0o600)
  expect((await stat(data)).mode & 0o777).toBe(0o700)
  const store = openSqlite({ file: join(data, 'muslin.db') })
  expect([(await store.wheels.wheels('demo')).map(({ filename }) => filename), (await store.jobs.build(build))?.record]).toEqual([[WHEEL], { note: 'a record' }])
  expect((await store.cache.state()).counted, 'a server counts what is there').toBe(false)
  store.close()
  expect(await bench.upkeepAt({ data }).fsck({ repair: false, damage: (damage) => { throw new Error(damage.kind) } })).toMatchObject({ found: 0 })
  expect((await readdir(folder)).filter((name) => name.includes('restoring'))).toEqual([])
  expect(await readdir(join(bench.folder, 'blobs/drafts')).then((names) => names.filter((name) => !name.endsWith('.lock'))), 'nothing of it is left').toHaveLength(1)
})

test('compressed, and without the upstream\'s files, which a page still names', async () => {
  await backup(join(folder, 'small.tar.zst'), { cache: false, compress: true })
  const bytes = await readFile(join(folder, 'small.tar.zst'))
  const names = (await entriesOf(zstdDecompressSync(bytes))).map(({ header }) => header.name)
  expect([names[0], names.at(-1)]).toEqual(['muslin-backup.json', 'complete.json'])
  const has = (digest: string) => names.some((name) => name.endsWith(digest))
  expect([has(bench.things.file), has(bench.things.sdist), has(bench.things.wheel), has(bench.things.fileMetadata)]).toEqual([false, false, true, true])
  expect(await bench.upkeepAt({ data }).restore({ source: createReadStream(join(folder, 'small.tar.zst')), force: false })).toMatchObject({ withCache: false, blobs: 7 })
  const seen: string[] = []
  await bench.upkeepAt({ data }).fsck({ repair: true, damage: ({ kind }) => seen.push(kind) })
  expect(seen).toEqual(['missing-file', 'missing-file'])
})

test('a blob that is not there is told by what it is for, and left out', async () => {
  const own = await makeUpkeepBench()
  await own.blobs.remove(own.things.kept)
  const { gone } = await own.upkeep.backup({ out: createWriteStream(join(folder, 'gone.tar')), compress: false, cache: true })
  await own.close()
  expect(gone).toEqual(['apk/main/x86_64/zlib.apk'])
  expect(await restore(await readFile(join(folder, 'gone.tar')))).toMatchObject({ gone: ['apk/main/x86_64/zlib.apk'], blobs: 8 })
})

describe('what is no whole backup is refused, and leaves nothing', () => {
  const cases: [string, RegExp, () => Promise<Buffer> | Buffer][] = [
    ['nothing', /it is empty/, () => Buffer.alloc(0)],
    ['something else', /no archive at all/, () => Buffer.from('#!/bin/sh\necho hello\n'.repeat(100))],
    ['another archive', /does not begin as a backup does|which no backup holds/, () => tarOf([{ header: { name: 'hello.txt' }, body: Buffer.from('hello') }])],
    ['one cut off in an entry', /cut off/, () => whole.subarray(0, whole.length - 40_000)],
    ['one cut off between entries', /its end is missing/, () => tarOf(entries.slice(0, -1))],
    ['a compressed one cut off', /cut off/, () => { const bytes = zstdCompressSync(whole); return bytes.subarray(0, bytes.length - 100) }],
    ['one with changed bytes of a blob', /has other bytes than its name says/, () => tarOf(entries.map((entry) => entry.header.name.endsWith(bench.things.wheel) ? { ...entry, body: Buffer.from('forged') } : entry))],
    ['one with another database', /its database is missing or damaged/, () => tarOf(entries.map((entry) => entry.header.name === 'muslin.db' ? { ...entry, body: Buffer.from(entry.body).fill(1, 5000, 5010) } : entry))],
    ['one that lacks a blob', /it should hold 9 blobs/, () => tarOf(entries.filter(({ header }) => !header.name.endsWith(bench.things.wheel)))],
    ['one that leads out of the folder', /which no backup holds/, () => tarOf([entries[0]!, { header: { name: '../evil' }, body: Buffer.from('x') }])],
    ['one that leads out by way of a blob', /which no backup holds/, () => tarOf([entries[0]!, { header: { name: `blobs/sha256/../../${'a'.repeat(64)}` }, body: Buffer.from('x') }])],
    ['one with an absolute path', /which no backup holds/, () => tarOf([entries[0]!, { header: { name: '/etc/evil' }, body: Buffer.from('x') }])],
    ['one with a link', /is a symlink/, () => tarOf([entries[0]!, { header: { name: 'logs/1.log', type: 'symlink', linkname: '/etc/passwd' }, body: Buffer.alloc(0) }])],
    ['one of a newer program', /newer Muslin/, () => tarOf([{ ...entries[0]!, body: Buffer.from(JSON.stringify({ ...JSON.parse(String(entries[0]!.body)), format: 99 })) }, ...entries.slice(1)])],
  ]
  test.each(cases)('%s', async (_name, detail, make) => {
    await expect(restore(await make())).rejects.toEqual(refused(detail))
    await expect(stat(data)).rejects.toThrow('ENOENT')
    expect((await readdir(folder)).filter((name) => name.includes('restoring'))).toEqual([])
  })

  test('a file that is not there', async () => {
    await expect(bench.upkeepAt({ data }).restore({ source: join(folder, 'none.tar'), force: false })).rejects.toEqual(refused(/cannot be read \(ENOENT\)/))
  })
})

describe('a folder', () => {
  test('with something in it is refused, and moved aside where that is wanted', async () => {
    await mkdir(data)
    await writeFile(join(data, 'notes.txt'), 'mine')
    await expect(restore(whole)).rejects.toMatchObject({ code: 'data-folder', detail: expect.stringContaining('--force') })
    const { moved } = await restore(whole, { force: true })
    expect([moved, await readdir(moved!), (await readdir(data)).includes('muslin.db')]).toEqual([`${data}.replaced-1`, ['notes.txt'], true])
    await rm(data, { recursive: true })
    await writeFile(join(folder, 'cut.tar'), whole)
    await truncate(join(folder, 'cut.tar'), 20_000)
    await expect(bench.upkeepAt({ data: moved! }).restore({ source: join(folder, 'cut.tar'), force: true })).rejects.toEqual(refused(/cut off/))
    expect(await readdir(moved!), 'what was there stays until all is right').toEqual(['notes.txt'])
  })

  test('that is empty is taken', async () => {
    await mkdir(data)
    expect(await restore(whole)).toMatchObject({ moved: undefined })
  })

  test('behind a link is restored where it lies, and the link stays', async () => {
    const real = join(folder, `real-${number}`)
    await symlink(real, data)
    await expect(restore(whole)).rejects.toMatchObject({ code: 'data-folder', detail: expect.stringContaining('leads nowhere') })
    await mkdir(real)
    expect(await restore(whole)).toMatchObject({ moved: undefined })
    expect([await readlink(data), (await readdir(real)).includes('muslin.db')]).toEqual([real, true])
    await writeFile(join(data, 'notes.txt'), 'mine')
    const { moved } = await restore(whole, { force: true })
    expect([moved, await readlink(data), (await readdir(real)).includes('notes.txt'), (await readdir(moved!)).includes('notes.txt')]).toEqual([`${real}.replaced-1`, real, false, true])
  })

  test('that a server is at work on is refused, whatever is wanted', async () => {
    const { lock } = claimProcessFolder(join(data, 'scratch'))
    await expect(restore(whole, { force: true })).rejects.toMatchObject({ code: 'data-folder', detail: expect.stringContaining('stop it first') })
    lock.close()
    await restore(whole, { force: true })
  })

  test('without a database has nothing to back up', async () => {
    await expect(bench.upkeepAt({ data }).backup({ out: createWriteStream('/dev/null'), compress: false, cache: true })).rejects.toMatchObject({ code: 'data-folder' })
    await expect(stat(data)).rejects.toThrow('ENOENT')
  })
})
