/** A page is a stranger's text: it may list the files of other projects, with what it likes to say of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { wheelContents, zip } from '../fixtures/make-wheel.ts'
import { JSON_V1, sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { makeRig, type Rig, TARGET } from './rig.ts'

const json = { accept: JSON_V1 }
const NAME = 'demo-1.0-py3-none-any.whl'
const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n'
const LIE = `${METADATA}Requires-Dist: evil-thing\n`
const YOUNG = { 'upload-time': '2026-11-21T11:00:00Z' }
const OLD = { 'upload-time': '2020-01-01T00:00:00Z' }

let rig: Rig
let bytes: Buffer
beforeEach(async () => {
  rig = await makeRig()
  bytes = Buffer.from(await zip(wheelContents({}, { metadata: METADATA })))
})
afterEach(() => rig.close())

const path = () => `/files/${sha256(bytes)}/${NAME}`
const status = async (address: string) => (await rig.get(address)).status
const metadata = async () => (await rig.get(`${path()}.metadata`)).body.toString()

async function visit(project: string): Promise<void> {
  await rig.clock.advance(61_000)
  expect((await rig.get(`/simple/${project}/`, json)).status).toBe(200)
}

/** The project's own page, and then that of another one which lists the same file, elsewhere. */
async function listed(own: Partial<SyntheticFile>, theirs: Partial<SyntheticFile>): Promise<void> {
  rig.upstream.project('demo', [{ filename: NAME, bytes, ...own }])
  const other = Buffer.from(await zip(wheelContents({}, { metadata: LIE })))
  rig.upstream.project('evil', [{ filename: NAME, bytes: other, ranges: true, ...theirs, keys: { size: other.length, ...theirs.keys, hashes: { sha256: sha256(bytes) } } }])
}

describe.each([['before'], ['after']])('another page that lists a file, seen %s its own', (order) => {
  const both = async () => { for (const project of order === 'before' ? ['evil', 'demo'] : ['demo', 'evil', 'demo', 'evil']) await visit(project) }

  test('does not lift what holds for the file\'s project, though it be denied as a whole', async () => {
    await listed({ keys: YOUNG }, { keys: OLD, metadata: LIE })
    for (const rules of [{ deny: ['demo<2'] }, { cooldown: 604_800 }, { allow: ['evil'] }]) {
      await rig.restart({ policy: rules })
      if (!('allow' in rules)) await both()
      else await visit('evil')
      for (const address of [path(), `${path()}.metadata`]) expect([rules, address, await status(address)]).toEqual([rules, address, 403])
    }
    await rig.restart({ policy: { deny: ['demo'] } })
    await visit('evil')
    expect(await status(path())).toBe(403)
    expect((await rig.get('/simple/evil/', json)).body.toString()).not.toContain(NAME)
  })

  test('does not hold it back', async () => {
    await listed({ keys: OLD }, { keys: YOUNG })
    await rig.restart({ policy: { cooldown: 604_800, deny: ['evil<2'] } })
    await both()
    expect(await status(path())).toBe(200)
  })

  test.each([['true', { metadata: METADATA, undigested: true }], ['a digest', { metadata: METADATA }], ['nothing', { ranges: true }]])('does not say what its METADATA are, nor where it is: its own page says %s', async (_what, own) => {
    await listed(own, { metadata: LIE })
    await both()
    expect(await metadata()).toBe(METADATA)
    expect((await rig.get(path())).body.equals(bytes)).toBe(true)
  })
})

test('METADATA that were made out of parts of a file at a stranger\'s address are not those of its project', async () => {
  await listed({ ranges: true }, {})
  await visit('evil')
  expect(await metadata(), 'nobody else has listed it').toBe(LIE)
  await visit('demo')
  expect(await metadata()).toBe(METADATA)
})

test('who sends something else keeps nobody from having a file elsewhere, nor gives a part of it', async () => {
  const until = Promise.withResolvers<void>()
  await listed({ ranges: true }, { stall: { after: 100, until: until.promise } })
  await visit('evil')
  const stuck = rig.get(path()).catch(() => undefined)
  await expect.poll(() => rig.upstream.requests.filter((line) => line.endsWith(NAME)).length).toBe(1)
  await visit('demo')
  expect((await rig.get(path(), { range: 'bytes=0-99' })).body.equals(bytes.subarray(0, 100))).toBe(true)
  expect((await rig.get(path())).body.equals(bytes)).toBe(true)
  until.resolve()
  expect((await stuck)?.body.equals(bytes) ?? false, 'it had begun with the other\'s').toBe(false)
})

test('a wheel of ours that a page lists is ours', async () => {
  const sdist = { filename: 'demo-1.0.tar.gz', bytes: Buffer.from('sdist'), keys: OLD }
  rig.upstream.project('demo', [sdist])
  await rig.ready()
  await visit('demo')
  await rig.store.jobs.wish({ kind: 'build', project: 'demo', version: '1.0', sdist: { sha256: sha256(sdist.bytes), filename: sdist.filename }, target: TARGET, recipe: '', image: 'image-1', priority: PRIORITY.waiting, askedBy: 'me' }, rig.clock.now())
  await rig.publish(await rig.claim(), bytes, METADATA)
  const { files } = JSON.parse((await rig.get('/finished/simple/demo/', json)).body.toString())
  const wheel = files.find(({ filename }: { filename: string }) => filename.endsWith('.whl'))
  const address = new URL(wheel.url, 'http://muslin.example/finished/simple/demo/').pathname
  rig.upstream.project('evil', [{ filename: wheel.filename, bytes, keys: { ...YOUNG, 'core-metadata': true } }])
  await visit('evil')
  await rig.restart({ policy: { cooldown: 604_800 } })
  expect([address.endsWith(wheel.filename), await status(address), (await rig.get(`${address}.metadata`)).body.toString()]).toEqual([true, 200, METADATA])
})
