import supertest from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { JSON_V1, sha256, type SyntheticFile } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, type Options, type Rig, TARGET } from './rig.ts'

const DAY = 24 * 60 * 60 * 1000
const json = { accept: JSON_V1 }
const pip = { ...json, 'user-agent': AGENTS.pip }
/** As the builder's own pip says it. */
const own = { ...json, 'user-agent': AGENTS.pip.replace('{', '{"user_data":"muslin-builder",') }
const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n'

function file(filename: string, uploaded: string | null, more: Partial<SyntheticFile> = {}): SyntheticFile {
  return { filename, bytes: Buffer.from(`the bytes of ${filename}`), keys: uploaded === null ? { 'upload-time': undefined } : { 'upload-time': uploaded }, ...more }
}

const old = file('demo-1.0.tar.gz', '2024-01-31T23:59:59.999999Z')
const next = file('demo-2.0-py3-none-any.whl', '2024-02-01T00:00:00Z', { metadata: METADATA })
/** A day before the rig's clock begins. */
const young = file('demo-3.0.tar.gz', '2026-11-20T12:00:00Z')
const undated = file('demo-0.1.tar.gz', null)
const path = ({ bytes, filename }: SyntheticFile) => `/files/${sha256(bytes)}/${filename}`

let rig: Rig
beforeEach(async () => {
  rig = await makeRig()
  rig.upstream.project('demo', [undated, old, next, young], { versions: ['0.1', '1.0', '2.0', '3.0'] })
})
afterEach(() => rig.close())

async function page(address: string, headers: Record<string, string> = json): Promise<{ files: { 'filename': string; 'url': string; 'upload-time'?: string; 'yanked': boolean | string }[]; versions: string[] }> {
  const { status, body } = await rig.get(address, headers)
  expect([address, status]).toEqual([address, 200])
  return JSON.parse(body.toString())
}

const names = async (address: string, headers?: Record<string, string>) => (await page(address, headers)).files.map(({ filename }) => filename)

async function problem(address: string, headers: Record<string, string> = json): Promise<[number, string, string]> {
  const { status, body } = await rig.get(address, headers)
  const { code, detail } = JSON.parse(body.toString())
  return [status, code, detail]
}

const policy = (given: Options['policy']) => rig.restart({ policy: given! })

/** A wheel of ours, built now from an sdist of the page. */
async function build(sdist: SyntheticFile, version: string): Promise<string> {
  await rig.ready()
  await rig.get('/finished/simple/demo/', json)
  await rig.store.jobs.wish({ kind: 'build', project: 'demo', version, sdist: { sha256: sha256(sdist.bytes), filename: sdist.filename }, target: TARGET, recipe: '', image: 'image-1', priority: PRIORITY.waiting, askedBy: 'me' }, rig.clock.now())
  await rig.publish(await rig.claim(), Buffer.from(`a wheel of ${version}`), 'Name: demo\n')
  return `demo-${version}-1-cp313-${TARGET}.whl`
}

describe('/before/', () => {
  test('lists what was uploaded until the day ended in UTC, and nothing that nobody can date', async () => {
    expect(await names('/before/2024-01-30/simple/demo/')).toEqual([])
    expect(await names('/before/2024-01-31/simple/demo/')).toEqual([old.filename])
    expect(await page('/before/2024-02-01/simple/demo/')).toMatchObject({ files: [{ filename: old.filename, url: `../../../..${path(old)}` }, { filename: next.filename }], versions: ['1.0', '2.0'] })
    expect(await names('/before/2026-11-21/simple/demo/'), 'today').toEqual([old.filename, next.filename, young.filename])
    expect(await names('/simple/demo/')).toHaveLength(4)
  })

  test('takes a moment by RFC 3339 too', async () => {
    expect(await names('/before/2024-01-31T23:59:59Z/simple/demo/')).toEqual([])
    expect(await names('/before/2024-02-01T00:00:00Z/simple/demo/')).toEqual([old.filename, next.filename])
    expect(await names('/before/2024-02-01T01:59:59.999+02:00/simple/demo/')).toEqual([old.filename])
  })

  test.each(['2026-11-22', '2026-11-21T12:00:01Z', '9999-12-31'])('%s has not come', async (date) => {
    expect(await problem(`/before/${date}/simple/demo/`)).toEqual([400, 'bad-date', `${date} is in the future; here it is 2026-11-21T12:00:00.000Z`])
    expect(rig.upstream.requests).toEqual([])
  })

  test.each(['2024-02-30', '2024-1-1', 'yesterday', '20240101', '2024-01-01T00:00:00', '%22%3Cscript%3E', '0000-00-00'])('%s is no date', async (date) => {
    for (const place of ['demo/', '']) expect((await problem(`/before/${date}/simple/${place}`)).slice(0, 2)).toEqual([400, 'bad-date'])
  })

  test('is JSON and HTML alike, conditional, compressed and redirected like any view', async () => {
    const address = '/before/2024-02-01/simple/demo/'
    const html = await rig.get(address, { accept: 'text/html' })
    const listed = (await page(address)).files
    expect([...html.body.toString().matchAll(/href="([^"#]+)[^>]*>([^<]+)</g)].map(([, url, name]) => [url, name])).toEqual(listed.map(({ url, filename }) => [url, filename]))
    const first = await rig.get(address, json)
    expect((await rig.get(address, { ...json, 'if-none-match': first.headers.etag! })).status).toBe(304)
    for (const [asked, location] of [['/before/2024-02-01/simple', 'simple/'], ['/before/2024-02-01/simple/demo', 'demo/'], ['/before/2024-02-01/simple/De_Mo/', '../de-mo/']] as const) {
      expect(await rig.get(asked, json)).toMatchObject({ status: 307, headers: { location } })
    }
    const list = await rig.get('/before/2024-02-01/simple/', json)
    expect(JSON.parse(list.body.toString()).projects).toEqual([{ name: 'demo' }])
    const followed = await supertest(rig.url).get(new URL(listed[0]!.url, `http://h${address}`).pathname)
    expect([followed.status, followed.body]).toEqual([200, old.bytes])
  })

  test('never promises, and has finished wheels, as old as their sdists', async () => {
    await rig.ready()
    expect((await names('/simple/demo/', pip)).filter((name) => name.includes('musllinux'))).not.toEqual([])
    for (const agent of [pip, own]) expect(await names('/before/2024-01-31/simple/demo/', agent)).toEqual([old.filename])
    const wheel = await build(old, '1.0')
    expect(await names('/before/2024-01-30/simple/demo/', pip)).toEqual([])
    expect((await page('/before/2024-01-31/simple/demo/', pip)).files.at(-1)).toMatchObject({ 'filename': wheel, 'upload-time': '2024-01-31T23:59:59.999999Z', 'yanked': false })
    expect((await page('/simple/demo/', pip)).files.find(({ filename }) => filename === wheel)?.['upload-time']).toBe('2026-11-21T12:00:00.000Z')
  })

  test('each date is kept apart, and all of them see what the upstream adds', async () => {
    for (let twice = 0; twice < 2; twice++) {
      expect(await names('/before/2024-01-31/simple/demo/')).toEqual([old.filename])
      expect(await names('/before/2024-02-01/simple/demo/')).toHaveLength(2)
      expect(await names('/simple/demo/')).toHaveLength(4)
    }
    const late = file('demo-1.0-py3-none-any.whl', '2024-01-31T00:00:00Z')
    rig.upstream.project('demo', [old, late])
    await rig.clock.advance(61_000)
    expect(await names('/before/2024-01-31/simple/demo/')).toEqual([old.filename, late.filename])
  })

  test('a project that nobody knows is absent there too', async () => {
    expect((await problem('/before/2024-01-31/simple/nothing/')).slice(0, 2)).toEqual([404, 'no-such-project'])
  })
})

describe('named views', () => {
  beforeEach(() => policy({ views: { 'lts': { deny: ['demo>=2'] }, 'frozen': { before: '2024-02-01' }, 'slow': { cooldown: 3 * DAY / 1000, cooldownExempt: ['demo==0.1'] }, 'Few.1': { allow: ['other', 'demo<1'] } } }))

  test('have their own rules, and are kept apart', async () => {
    for (let twice = 0; twice < 2; twice++) {
      expect(await page('/view/lts/simple/demo/')).toMatchObject({ files: [{ filename: undated.filename, url: `../../../..${path(undated)}` }, { filename: old.filename }], versions: ['0.1', '1.0'] })
      expect(await names('/view/frozen/simple/demo/')).toEqual([old.filename, next.filename])
      expect(await names('/view/slow/simple/demo/')).toEqual([undated.filename, old.filename, next.filename])
      expect(await names('/view/Few.1/simple/demo/')).toEqual([undated.filename])
      expect((await page('/view/lts/finished/simple/demo/')).files[0]).toMatchObject({ url: `../../../../..${path(undated)}` })
      expect(await names('/simple/demo/')).toHaveLength(4)
    }
  })

  test('filter pages alone: what a lock names is served', async () => {
    expect((await rig.get('/view/lts/simple/demo/', json)).status).toBe(200)
    expect((await rig.get(path(young))).body).toEqual(young.bytes)
  })

  test('promise what /simple/ promises to the same client, less what they hold back; with a date nothing', async () => {
    await rig.ready()
    const promised = async (address: string, headers = pip) => (await page(address, headers)).files.filter(({ url }) => url.includes('/promise/')).map(({ filename }) => filename.split('-')[1])
    expect(await promised('/simple/demo/')).toEqual(['0.1', '1.0', '3.0'])
    expect(await promised('/view/lts/simple/demo/')).toEqual(['0.1', '1.0'])
    expect(await promised('/view/lts/simple/demo/', json as typeof pip)).toEqual([])
    expect(await promised('/view/lts/finished/simple/demo/')).toEqual([])
    expect(await promised('/view/frozen/simple/demo/')).toEqual([])
  })

  test('of other names are refused, and what a view never lists is told by name', async () => {
    for (const place of ['demo/', '']) {
      expect(await problem(`/view/none/simple/${place}`)).toEqual([404, 'unknown-view', 'none is no configured view; the views are lts, frozen, slow, Few.1'])
    }
    expect(await problem('/view/Few.1/simple/unwanted/')).toEqual([403, 'blocked-by-policy', 'unwanted is held back: nothing in views.Few.1.allow names it'])
    expect(rig.upstream.requests.filter((line) => line.includes('unwanted'))).toEqual([])
  })

  test('change by themselves when a cooldown ends', async () => {
    expect(await names('/view/slow/simple/demo/')).not.toContain(young.filename)
    await rig.clock.advance(2 * DAY - 1)
    rig.upstream.break(503)
    expect(await names('/view/slow/simple/demo/')).not.toContain(young.filename)
    await rig.clock.advance(1)
    expect(await names('/view/slow/simple/demo/')).toContain(young.filename)
  })
})

describe('the rules of the server', () => {
  const VIEWS = ['/simple/', '/finished/simple/', `/target/${TARGET}/simple/`, '/before/2026-11-21/simple/', '/view/all/simple/', '/view/all/finished/simple/']

  test('hold on every view, on files and on their metadata, for the builder too', async () => {
    await rig.get('/simple/demo/', json)
    await rig.ready()
    expect((await rig.get(path(next))).body, 'it is cached before it is denied').toEqual(next.bytes)
    await policy({ deny: ['demo==2.*'], views: { all: { deny: ['other'] } } })
    for (const view of VIEWS) for (const headers of [json, pip, own]) expect([view, await names(`${view}demo/`, headers)]).toEqual([view, expect.not.arrayContaining([next.filename])])
    const refusal = [403, 'blocked-by-policy', `${next.filename} is held back by deny, which names "demo==2.*"`]
    for (const headers of [json, pip, own]) {
      expect(await problem(path(next), headers)).toEqual(refusal)
      expect(await problem(`${path(next)}.metadata`, headers)).toEqual(refusal)
    }
    const told = await rig.get(path(next), {}, 'HEAD')
    expect([told.status, told.reason, told.headers['cache-control']]).toEqual([403, `Muslin: ${refusal[2]}`, 'no-store'])
    expect((await rig.get(path(next), { 'if-none-match': `"${sha256(next.bytes)}"`, 'range': 'bytes=0-3' })).status).toBe(403)
    expect((await rig.get(path(old))).status).toBe(200)
  })

  test('a cooldown leaves resolvers the older releases, and ends by itself', async () => {
    await policy({ cooldown: 3 * DAY / 1000 })
    expect(await names('/simple/demo/'), 'a file without upload-time was first seen now').toEqual([old.filename, next.filename])
    const line = (name: string, until: string) => [403, 'blocked-by-policy', `${name} is held back by cooldown (3d) until ${until} UTC`]
    expect(await problem(path(young))).toEqual(line(young.filename, '2026-11-23 12:00'))
    expect(await problem(path(undated))).toEqual(line(undated.filename, '2026-11-24 12:00'))
    rig.upstream.break(503)
    await rig.clock.advance(2 * DAY)
    expect(await names('/simple/demo/')).toEqual([old.filename, next.filename, young.filename])
    expect(await problem(path(undated))).toEqual(line(undated.filename, '2026-11-24 12:00'))
    await rig.clock.advance(DAY)
    expect(await names('/simple/demo/')).toHaveLength(4)
    rig.upstream.break(undefined)
    for (const each of [young, undated]) expect((await rig.get(path(each))).body).toEqual(each.bytes)
  })

  test('what is exempt has none: a project of one\'s own, or one release that cannot wait', async () => {
    await policy({ cooldown: 3 * DAY / 1000, cooldownExempt: ['demo==3.0'], views: { slower: { cooldown: 9 * DAY / 1000 } } })
    expect(await names('/simple/demo/')).toEqual([old.filename, next.filename, young.filename])
    expect(await names('/view/slower/simple/demo/')).toContain(young.filename)
    expect((await rig.get(path(young))).status).toBe(200)
    await policy({ cooldown: 3 * DAY / 1000, cooldownExempt: ['de*'] })
    expect(await names('/simple/demo/')).toHaveLength(4)
  })

  test('a project that is denied, or that nothing allows, is told by name and not asked for', async () => {
    await rig.get('/simple/demo/', json)
    for (const [given, line] of [[{ deny: ['d*'] }, 'demo is held back by deny, which names "d*"'], [{ allow: ['acme-*'] }, 'demo is held back: nothing in allow names it']] as const) {
      await policy({ deny: [...'deny' in given ? given.deny : []], allow: [...'allow' in given ? given.allow : []] })
      const before = rig.upstream.requests.length
      for (const view of VIEWS.slice(0, 4)) expect(await problem(`${view}demo/`)).toEqual([403, 'blocked-by-policy', line])
      expect(await problem(path(old))).toEqual([403, 'blocked-by-policy', line.replace('demo', old.filename)])
      expect(rig.upstream.requests).toHaveLength(before)
    }
  })

  test('a promise and a wheel of ours share the fate of their sdist', async () => {
    const wheel = await build(old, '1.0')
    const listed = await page('/simple/demo/', pip)
    const promise = new URL(listed.files.find(({ url, filename }) => url.includes('/promise/') && filename.startsWith('demo-3.0'))!.url, 'http://h/simple/demo/').pathname
    const built = new URL(listed.files.find(({ filename }) => filename === wheel)!.url, 'http://h/simple/demo/').pathname
    await policy({ cooldown: 3 * DAY / 1000 })
    expect(await names('/simple/demo/', pip), 'our wheel is of today, its sdist is not').toEqual([old.filename, next.filename, wheel])
    for (const asked of [promise, `${promise}.metadata`]) for (const headers of [pip, own]) {
      expect(await problem(asked, headers)).toEqual([403, 'blocked-by-policy', `${young.filename} is held back by cooldown (3d) until 2026-11-23 12:00 UTC`])
    }
    expect(await rig.store.jobs.list({ state: 'queued' }), 'nothing was begun').toEqual([])
    expect((await rig.get(built)).status).toBe(200)
    await policy({ deny: ['demo<2'] })
    expect(await names('/simple/demo/', pip)).not.toContain(wheel)
    for (const asked of [built, `${built}.metadata`]) expect((await problem(asked)).slice(0, 2)).toEqual([403, 'blocked-by-policy'])
  })

  test('a plan says why a release is not to be had, and counts no wheel of it', async () => {
    await build(old, '1.0')
    await policy({ deny: ['demo<2'], cooldown: 3 * DAY / 1000 })
    const { body } = await supertest(rig.url).post('/api/v1/plan').send({ files: [{ name: 'requirements.txt', text: 'demo==1.0\ndemo==2.0\ndemo==3.0\n' }], targets: [TARGET] })
    expect(body.lines).toMatchObject([
      { version: '1.0', verdict: 'cannot', why: 'demo 1.0 is held back by deny, which names "demo<2"' },
      { version: '2.0', verdict: 'upstream-wheel' },
      { version: '3.0', verdict: 'cannot', why: 'demo 3.0 is held back by cooldown (3d) until 2026-11-23 12:00 UTC' },
    ])
  })

  test('a file whose upload-time was recorded by no one yet is as old as its page says', async () => {
    await rig.get('/simple/demo/', json)
    const { json: kept, ...rest } = (await rig.store.pages.get('demo'))!
    const recorded = await rig.store.pages.files('demo')
    await rig.store.pages.put({ ...rest, json: kept }, recorded.map((each) => ({ ...each, uploadedAt: undefined })))
    await policy({ cooldown: 3 * DAY / 1000 })
    expect((await rig.get(path(old))).status).toBe(200)
    expect((await rig.get(path(young))).status).toBe(403)
    expect((await rig.get(path(undated))).status).toBe(403)
  })
})
