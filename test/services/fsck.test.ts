import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DAMAGE, type Damage, type DamageName } from '../../src/services/damage.ts'
import { createFsck } from '../../src/services/fsck.ts'
import { keepBlob } from '../../src/services/keep-blob.ts'
import type { BlobStore } from '../../src/services/ports.ts'
import { inspectSqlite } from '../../src/storage/sqlite/inspect.ts'
import { makeUpkeepBench, METADATA, sha256, type UpkeepBench, WHEEL } from './upkeep-bench.ts'

let bench: UpkeepBench
/** Each of the tests below has a folder of its own. */
async function onNew(work: () => Promise<void>): Promise<void> {
  bench = await makeUpkeepBench()
  try {
    await work()
  } finally {
    await bench.close()
  }
}

async function fsck(repair = false): Promise<{ found: Damage[]; left: number }> {
  const found: Damage[] = []
  const { left, found: count } = await bench.upkeep.fsck({ repair, damage: (damage) => found.push(damage) })
  expect(count).toBe(found.length)
  return { found, left }
}

const damageOf = (digest: string) => async () => writeFile(bench.pathOf(digest), 'other bytes')
const removalOf = (digest: string) => async () => rm(bench.pathOf(digest))
const sql = (text: string) => {
  const db = new Database(join(bench.folder, 'muslin.db'))
  db.exec(text)
  db.close()
}
const isListed = async () => (await bench.store.wheels.wheels('demo')).length > 0
const jobState = async () => (await bench.store.jobs.get(bench.things.job))?.state
const isHere = async (digest: string) => await bench.blobs.stat(digest) !== undefined

test('a whole data folder is right, whatever was read of it', () => onNew(async () => {
  const read: number[] = []
  const report = await bench.upkeep.fsck({ repair: true, damage: () => { throw new Error('there is none') }, progress: (done, total) => read.push(done / total) })
  expect(report).toMatchObject({ blobs: 10, found: 0, left: 0 })
  expect([read.at(-1), read.toSorted((a, b) => a - b)]).toEqual([1, read])
}))

interface Case { kind: DamageName; name?: RegExp; hurt: () => Promise<unknown> | void; after: () => Promise<unknown> }

/** Each kind: how it comes about, and what is so once it is repaired. */
function cases(): Case[] {
  const { things, store } = bench
  return [
    { kind: 'damaged-file', name: /^file-1/, hurt: damageOf(things.file), after: async () => expect([await isHere(things.file), (await store.cache.total()).files, await store.pages.file(things.file, 'file-1-py3-none-any.whl') !== undefined]).toEqual([false, 1, true]) },
    { kind: 'missing-file', name: /^file-1/, hurt: removalOf(things.file), after: async () => expect((await store.cache.total()).files).toBe(1) },
    { kind: 'damaged-metadata', name: /\.metadata$/, hurt: damageOf(things.fileMetadata), after: async () => expect(await isHere(things.fileMetadata)).toBe(false) },
    { kind: 'damaged-wheel', name: /^demo-1/, hurt: damageOf(things.wheel), after: async () => expect([await isListed(), await jobState(), await isHere(things.wheel)]).toEqual([false, 'queued', false]) },
    { kind: 'missing-wheel', name: /^demo-1/, hurt: removalOf(things.wheel), after: async () => expect([await isListed(), await jobState()]).toEqual([false, 'queued']) },
    { kind: 'damaged-wheel-metadata', name: /^demo-1/, hurt: damageOf(things.metadata), after: async () => expect([await isListed(), await bench.blob(things.metadata)]).toEqual([true, METADATA]) },
    { kind: 'missing-wheel-metadata', name: /^demo-1/, hurt: removalOf(things.metadata), after: async () => expect([await isListed(), await bench.blob(things.metadata)]).toEqual([true, METADATA]) },
    { kind: 'wrong-wheel-metadata', name: /^demo-1/, hurt: async () => store.mend.setWheelMetadata(WHEEL, await keepBlob(bench.blobs, [Buffer.from('Name: other\n')])), after: async () => expect((await store.wheels.wheel(things.wheel, WHEEL))?.metadata).toBe(things.metadata) },
    { kind: 'damaged-promise-metadata', hurt: damageOf(things.promise), after: async () => expect(await store.metadata.get('b'.repeat(64), 'cp313-musllinux_1_2_x86_64')).toBeUndefined() },
    { kind: 'missing-promise-metadata', hurt: removalOf(things.promise), after: async () => expect(await store.metadata.get('b'.repeat(64), 'cp313-musllinux_1_2_x86_64')).toBeUndefined() },
    { kind: 'damaged-result', hurt: damageOf(things.result), after: async () => expect(await store.results.of(things.sdist, 'r')).toEqual([]) },
    { kind: 'missing-result', hurt: removalOf(things.result), after: async () => expect(await store.results.of(things.sdist, 'r')).toEqual([]) },
    { kind: 'damaged-kept', name: /^apk\//, hurt: damageOf(things.kept), after: async () => expect([await store.kept.get('apk/main/x86_64/zlib.apk'), await isHere(things.kept)]).toEqual([undefined, false]) },
    { kind: 'missing-kept', name: /^apk\//, hurt: removalOf(things.kept), after: async () => expect(await store.kept.get('apk/main/x86_64/zlib.apk')).toBeUndefined() },
    { kind: 'damaged-list', hurt: damageOf(things.list), after: async () => expect(await store.pages.list()).toBeUndefined() },
    { kind: 'missing-list', hurt: removalOf(things.list), after: async () => expect(await store.pages.list()).toBeUndefined() },
    { kind: 'damaged-unused', hurt: damageOf(things.loose), after: async () => expect(await isHere(things.loose)).toBe(false) },
    { kind: 'unreadable-page', name: /^file$/, hurt: () => sql("UPDATE pages SET json = x'00' WHERE project = 'file'"), after: async () => expect(await store.pages.get('file')).toBeUndefined() },
    { kind: 'stray', name: /sha256\/notes\.txt$/, hurt: async () => writeFile(join(bench.folder, 'blobs/sha256/notes.txt'), 'x'), after: async () => expect(await readdir(join(bench.folder, 'blobs/set-aside'))).toContain('sha256-notes.txt') },
    { kind: 'mode', hurt: async () => chmod(bench.pathOf(things.sdist), 0o644), after: async () => expect((await stat(bench.pathOf(things.sdist))).mode & 0o777).toBe(0o600) },
    { kind: 'draft', hurt: async () => { await mkdir(join(bench.folder, 'blobs/drafts/dead'), { recursive: true }); await writeFile(join(bench.folder, 'blobs/drafts/dead/1'), 'half'); await writeFile(join(bench.folder, 'blobs/drafts/dead.lock'), '') }, after: async () => expect((await readdir(join(bench.folder, 'blobs/drafts'))).filter((name) => name.startsWith('dead'))).toEqual([]) },
  ]
}

const GROUPS: [string, DamageName[]][] = [
  ['other bytes, and what lies about', (Object.keys(DAMAGE) as DamageName[]).filter((kind) => kind !== 'database' && !kind.startsWith('missing-') && !kind.endsWith('wheel-metadata'))],
  ['no bytes', (Object.keys(DAMAGE) as DamageName[]).filter((kind) => kind.startsWith('missing-') && !kind.endsWith('wheel-metadata'))],
  ['damaged METADATA of a wheel', ['damaged-wheel-metadata']], ['no METADATA of a wheel', ['missing-wheel-metadata']], ['other METADATA than the wheel\'s', ['wrong-wheel-metadata']],
]

describe.each(GROUPS)('%s', (_name, kinds) => {
  const outcome = {} as { cases: Case[]; before: Damage[]; again: Damage[]; repaired: Damage[]; left: number; after: Damage[] }
  let whole: UpkeepBench
  beforeAll(async () => {
    bench = whole = await makeUpkeepBench()
    outcome.cases = cases()
    for (const { kind, hurt } of outcome.cases) if (kinds.includes(kind)) await hurt()
    Object.assign(outcome, { before: (await fsck()).found, again: (await fsck()).found })
    const { found, left } = await fsck(true)
    Object.assign(outcome, { repaired: found, left, after: (await fsck()).found })
  })
  afterAll(() => whole.close())

  test.each(kinds)('%s is found, repaired, and right from then on', async (kind) => {
    bench = whole
    const { name = /./, after } = outcome.cases.find((one) => one.kind === kind)!
    const of = (damages: Damage[]) => damages.filter((damage) => damage.kind === kind)
    expect(of(outcome.before)).toEqual([{ kind, name: expect.stringMatching(name), repaired: false }])
    expect(of(outcome.repaired)).toMatchObject([{ kind, name: expect.stringMatching(name), repaired: true }])
    await after()
  })

  test('nothing else is, a look changes nothing, and nothing is left', () => {
    expect(outcome.before.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted())
    expect(outcome.again).toEqual(outcome.before)
    expect([outcome.repaired.length, outcome.left, outcome.after]).toEqual([kinds.length, 0, []])
  })
})

describe('database', () => {
  test('that is damaged is told, and nothing is changed by what it says', () => onNew(async () => {
    sql(`PRAGMA foreign_keys = OFF; UPDATE wheels SET build = 999`)
    await damageOf(bench.things.file)()
    const { found, left } = await fsck(true)
    expect([found, left]).toEqual([[{ kind: 'database', name: 'muslin.db', repaired: false, detail: 'a row of wheels refers to none of builds' }], 1])
    expect(await isHere(bench.things.file)).toBe(true)
  }))
})

test('a wheel that is lost with its METADATA is made again, both', () => onNew(async () => {
  const { wheel, metadata, file } = bench.things
  for (const digest of [wheel, metadata, file]) await damageOf(digest)()
  const { found, left } = await fsck(true)
  expect(left).toBe(0)
  expect(found.map(({ kind }) => kind).toSorted()).toEqual(['damaged-file', 'damaged-promise-metadata', 'damaged-wheel'])
  expect(await fsck()).toEqual({ found: [], left: 0 })
  expect([await isListed(), await jobState()]).toEqual([false, 'queued'])
}))

test('a wheel out of which no METADATA can be read is built again where they are lost', () => onNew(async () => {
  const odd = await keepBlob(bench.blobs, [Buffer.from('no zip')])
  sql(`UPDATE wheels SET sha256 = '${odd}'`)
  await removalOf(bench.things.metadata)()
  expect((await fsck(true)).found).toMatchObject([{ kind: 'missing-wheel-metadata', repaired: true, detail: 'its job is queued' }, { kind: 'missing-promise-metadata', repaired: true }])
  expect(await isListed()).toBe(false)
  expect(sha256('no zip')).toBe(odd)
}))

describe('beside a server at work', () => {
  /** Fsck of the folder, between whose steps a server does what `blobs` does. */
  async function beside(blobs: Partial<BlobStore>, repair: boolean): Promise<Damage[]> {
    const found: Damage[] = []
    await createFsck({
      inspection: inspectSqlite({ file: join(bench.folder, 'muslin.db') }), store: bench.store, blobs: { ...bench.blobs, ...blobs },
      async *faults() {}, readMetadata: async () => Buffer.from(METADATA), clock: { now: () => 5, sleep: async () => undefined },
    })({ repair, damage: (damage) => found.push(damage) })
    return found
  }

  test.each([false, true])('what is kept after the blobs were listed is not missing (repair: %s)', (repair) => onNew(async () => {
    const { file, wheel, metadata, promise, result, kept, list } = bench.things
    const bytes = await Promise.all([file, wheel, metadata, promise, result, kept, list].map((digest) => bench.blobs.look(digest, 1e6)))
    for (const digest of [file, wheel, metadata, promise, result, kept, list]) await removalOf(digest)()
    const found = await beside({
      async *list() {
        yield* bench.blobs.list()
        for (const blob of bytes) await keepBlob(bench.blobs, [blob!.bytes!])
      },
    }, repair)
    expect(found).toEqual([])
    expect([await isListed(), await jobState(), (await bench.store.cache.total()).files]).toEqual([true, 'built', 2])
    expect([await bench.store.kept.get('apk/main/x86_64/zlib.apk'), await bench.store.pages.list()]).not.toContain(undefined)
  }))

  test.each([false, true])('what is kept again while its damaged bytes are read stays where it is (repair: %s)', (repair) => onNew(async () => {
    const { wheel } = bench.things
    const right = (await bench.blobs.look(wheel, 1e6))!.bytes!
    await damageOf(wheel)()
    const found = await beside({
      async read(digest) {
        const reading = await bench.blobs.read(digest)
        if (digest === wheel) await keepBlob(bench.blobs, [right])
        return reading
      },
    }, repair)
    expect([found, await isHere(wheel), await isListed()]).toEqual([[], true, true])
  }))

  test('what is kept again once its damaged bytes are set aside is not forgotten', () => onNew(async () => {
    const { wheel } = bench.things
    const right = (await bench.blobs.look(wheel, 1e6))!.bytes!
    await damageOf(wheel)()
    const found = await beside({
      async setAside(digest) {
        await bench.blobs.setAside(digest)
        await keepBlob(bench.blobs, [right])
      },
    }, true)
    expect(found).toEqual([{ kind: 'damaged-wheel', name: WHEEL, repaired: true }])
    expect([await isListed(), await jobState()]).toEqual([true, 'built'])
  }))
})
