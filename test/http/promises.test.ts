import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PRIORITY } from '../../src/domain/job.ts'
import { JSON_V1, sha256 } from '../synthetic-upstream.ts'
import { ADMIN_TOKEN, AGENTS, makeRig, type Options, type Rig, TARGET } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig(); await prepare() })
afterEach(() => rig.close())

const WHEEL = Buffer.from('the wheel of cffi')
const METADATA = 'Metadata-Version: 2.1\nName: cffi\nVersion: 1.17\n'
const sdist = { filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('the sdist of cffi') }
const pip = { 'user-agent': AGENTS.pip }
const uv = { 'user-agent': AGENTS.uv }
/** A proxy that tells of itself. */
const proxied = { ...pip, via: '1.1 nginx' }

async function prepare(options?: Options): Promise<void> {
  if (options) await rig.restart(options)
  rig.upstream.project('cffi', [sdist, { filename: 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl', bytes: Buffer.from('glibc') }])
  await rig.ready()
}

/** The promise's path, as pip's page names it. */
async function promise(): Promise<string> {
  const page = JSON.parse((await rig.get('/simple/cffi/', { ...pip, accept: JSON_V1 })).body.toString())
  const found = page.files.find((file: { url: string }) => file.url.includes('/promise/'))
  return found && new URL(found.url, 'http://h/simple/cffi/').pathname
}

/** Asks, and sees a hold of so long to its end. */
async function patient(path: string, headers: Record<string, string>, ms: number) {
  await rig.ready()
  const held = rig.get(path, headers)
  await rig.clock.began(ms)
  await rig.clock.advance(ms)
  return held
}

const jobs = () => rig.store.jobs.list()

test('a page view starts nothing; asking for the wheel does, and ends with its bytes', async () => {
  const path = await promise()
  expect(await jobs()).toEqual([])
  const held = rig.get(path, pip)
  await rig.clock.began(8_000)
  expect(await jobs()).toMatchObject([{ kind: 'build', project: 'cffi', version: '1.17', state: 'queued', priority: PRIORITY.waiting, askedBy: '127.0.0.1' }])
  await rig.publish(await rig.claim(), WHEEL, METADATA)
  const answer = await held
  expect(answer).toMatchObject({ status: 200, body: WHEEL, headers: { 'etag': `"${sha256(WHEEL)}"`, 'content-length': String(WHEEL.length) } })
  // Listed with its digest from now on, and the promise's address stays valid with the same bytes.
  expect(await promise()).toBeUndefined()
  expect((await rig.get('/simple/cffi/', { accept: JSON_V1 })).body.toString()).toContain(sha256(WHEEL))
  await rig.restart()
  expect((await rig.get(path, pip)).body).toEqual(WHEEL)
  expect((await rig.get(`${path}.metadata`)).body.toString()).toBe(METADATA)
})

test('pip on a direct connection gets a 100 every 8 seconds, and a hop after 90 of them', async () => {
  const path = await promise()
  const { response, continues } = rig.open(path, pip)
  for (let sent = 0; sent < 90; sent++) {
    await rig.ready()
    await rig.clock.began(8_000)
    await rig.clock.advance(8_000)
  }
  const answer = await response
  expect(answer.statusCode).toBe(307)
  expect(continues()).toBe(90)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.headers.location).toMatch(/^\?hop=1\./)
  answer.resume()
})

test('the log has each hold at its start, once a minute, and at its end, with how long its client has waited in all', async () => {
  const lines: Record<string, unknown>[] = []
  await prepare({ log: pino({ level: 'debug' }, { write: (line) => { lines.push(JSON.parse(line) as Record<string, unknown>) } }) })
  const path = await promise()
  const told = () => lines.filter(({ msg }) => /\b(?:hold|held)$/.test(String(msg))).map(({ level, msg, waited, tool, hop, ended }) => [level === 30 ? 'info' : 'debug', msg, waited, tool, hop, ...ended === undefined ? [] : [ended]])
  const first = await patient(path, uv, 25_000)
  expect(told()).toEqual([['info', 'hold', 0, 'uv', 0], ['debug', 'held', 25, 'uv', 0, 'hop']])
  lines.length = 0
  await patient(`${path}${first.headers.location}`, uv, 25_000)
  await rig.clock.advance(1000)
  const second = await patient(`${path}${first.headers.location}`, uv, 25_000)
  expect(second.status).toBe(503)
  await rig.clock.advance(1000)
  const third = await patient(`${path}${first.headers.location}`, uv, 25_000)
  expect(told()).toEqual([
    ['debug', 'hold', 25, 'uv', 1], ['debug', 'held', 50, 'uv', 1, 'retry'], ['debug', 'hold', 51, 'uv', 1], ['debug', 'held', 76, 'uv', 1, 'retry'], ['info', 'still held', 76, 'uv', 1],
    ['debug', 'hold', 77, 'uv', 1], ['debug', 'held', 102, 'uv', 1, 'hop'],
  ])
  lines.length = 0
  await patient(`${path}${third.headers.location}`, uv, 25_000)
  await rig.clock.advance(35_000)
  expect(told(), 'it never came back').toEqual([['debug', 'hold', 102, 'uv', 2], ['debug', 'held', 127, 'uv', 2, 'retry'], ['info', 'still held', 127, 'uv', 2], ['info', 'held', 162, 'uv', 2, 'gone']])
  lines.length = 0
  const held = rig.get(path, pip)
  for (let sent = 0; sent < 16; sent++) {
    await rig.ready()
    await rig.clock.began(8000)
    await rig.clock.advance(8000)
  }
  await rig.clock.began(8000)
  await rig.publish(await rig.claim(), WHEEL, METADATA)
  await held
  expect(told()).toEqual([['info', 'hold', 0, 'pip', 0], ['info', 'still held', 64, 'pip', 0], ['info', 'still held', 120, 'pip', 0], ['info', 'held', 128, 'pip', 0, 'built']])
})

test('behind a proxy there are 503s and hops, 28 of these, and the last address says: still building', async () => {
  let path = await promise()
  const first = path
  for (let hop = 1; hop <= 28; hop++) {
    for (let again = 0; again < (hop === 1 ? 0 : 4); again++) {
      const { status, continues, headers } = await patient(path, proxied, 12_000)
      expect([hop, status, continues, headers['retry-after'], headers['cache-control']]).toEqual([hop, 503, 0, '1', 'no-store'])
      await rig.clock.advance(1000)
      // The next process sends on whoever met the restart.
      if (hop === 10 && again === 2) {
        await rig.restart()
        break
      }
    }
    const answer = await patient(path, proxied, 12_000)
    expect([hop, answer.status, answer.continues]).toEqual([hop, 307, 0])
    path = `${first}${answer.headers.location}`
    await rig.ready()
  }
  for (let again = 0; again < 4; again++) {
    expect((await patient(path, proxied, 12_000)).status).toBe(503)
    await rig.clock.advance(1000)
  }
  const { status, reason, headers, body } = await patient(path, proxied, 12_000)
  expect(status).toBe(423)
  expect(reason).toBe('Muslin: cffi 1.17 is still building, run again')
  expect(headers['cache-control']).toBe('no-store')
  expect(JSON.parse(body.toString())).toMatchObject({ code: 'still-building', detail: reason })
  expect(await jobs()).toHaveLength(1)
})

test('uv is held for 25 seconds, and after the first time sent back twice before it is sent on, ten times', async () => {
  let path = await promise()
  const first = path
  for (let hop = 1; hop <= 11; hop++) {
    for (const pause of hop === 1 ? [] : [1000, 1800]) {
      expect([hop, (await patient(path, uv, 25_000)).status]).toEqual([hop, 503])
      await rig.clock.advance(pause)
    }
    const { status, headers } = await patient(path, uv, 25_000)
    expect([hop, status]).toEqual([hop, hop <= 10 ? 307 : 423])
    if (hop <= 10) path = `${first}${headers.location}`
    await rig.ready()
  }
})

test('nobody waits longer than the settings say', async () => {
  await prepare({ holdLimit: 30 })
  const path = await promise()
  const { headers } = await patient(path, uv, 25_000)
  const { status, reason } = await patient(`${path}${headers.location}`, uv, 5000)
  expect([status, reason]).toEqual([423, 'Muslin: cffi 1.17 is still building, run again'])
  const direct = rig.get(path, pip)
  for (let sent = 0; sent < 3; sent++) {
    await rig.clock.began(8000)
    await rig.clock.advance(8000)
  }
  await rig.clock.began(6000)
  await rig.clock.advance(6000)
  const answer = await direct
  expect([answer.status, answer.continues]).toEqual([423, 3])
})

test('hops that are not ours, or of another address, are refused', async () => {
  const path = await promise()
  const held = rig.get(path, uv)
  await rig.clock.began(25_000)
  await rig.clock.advance(25_000)
  const { location = '' } = (await held).headers
  for (const wrong of [`${path}${location.slice(0, -1)}${location.endsWith('A') ? 'B' : 'A'}`, `${path}${location.replace('=1.', '=0.')}`, `${path}.metadata${location}`, `${path}?hop=`]) {
    expect((await rig.get(wrong, uv)).status).toBe(400)
  }
})

test('a failure ends every hold with one line and a link, and the page has stopped promising', async () => {
  const path = await promise()
  const direct = [rig.get(path, pip), rig.get(path, pip)]
  const others = [rig.get(path, proxied), rig.get(path, uv)]
  await Promise.all([rig.clock.began(8_000, 2), rig.clock.began(12_000), rig.clock.began(25_000)])
  await rig.clock.advance(8_000)
  await rig.clock.began(8_000, 2)
  const job = await rig.claim()
  const log = await rig.logs.open(job.build!)
  log.write('fatal error: ffi.h: No such file or directory\n')
  await log.close()
  await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
  const link = `${rig.url}/b/${job.build}`
  for (const held of [...direct, ...others]) {
    const { status, reason, headers, body } = await held
    expect([status, reason]).toEqual([424, `Muslin: cffi 1.17 needs header ffi.h, see ${link}`])
    expect(headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(body.toString())).toEqual({ title: 'Muslin could not build this wheel', status: 424, detail: reason, code: 'build-failed', link })
    expect(await promise()).toBeUndefined()
  }
  expect((await direct[0]!).continues).toBe(1)
  const told = await rig.get(`/b/${job.build}`)
  expect(told.headers['content-type']).toBe('text/plain; charset=utf-8')
  expect(told.body.toString()).toBe('fatal error: ffi.h: No such file or directory\n')
  // Who still holds the old page is told at once.
  expect((await rig.get(path, pip)).status).toBe(424)
  expect(await jobs()).toHaveLength(1)
})

test('a failure links publicUrl where it is set, by whatever name of ours the client came', async () => {
  await prepare({ publicUrl: 'https://wheels.example/muslin' })
  const path = await promise()
  const held = rig.get(path, proxied)
  await rig.clock.began(12_000)
  const job = await rig.claim()
  await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
  const { reason, body } = await held
  const link = `https://wheels.example/muslin/b/${job.build}`
  expect(reason).toBe(`Muslin: cffi 1.17 needs header ffi.h, see ${link}`)
  expect(JSON.parse(body.toString())).toMatchObject({ link, detail: reason })
})

test('a client that leaves is forgotten, the job goes on', async () => {
  const path = await promise()
  const { request, response } = rig.open(path, pip)
  await rig.clock.began(8_000)
  const stayed = rig.get(path, pip)
  await rig.clock.began(8_000)
  request.destroy()
  await expect(response).rejects.toThrow()
  await rig.publish(await rig.claim(), WHEEL, METADATA)
  expect((await stayed).body).toEqual(WHEEL)
})

test('a peer that hangs up on a 100 is behind a proxy, whatever it says, for an hour', async () => {
  const path = await promise()
  const { request, response } = rig.open(path, pip)
  await rig.clock.began(8_000)
  const told = new Promise((resolve) => request.once('continue', resolve))
  await rig.clock.advance(8_000)
  await told
  const closed = new Promise((resolve) => rig.server.once('connection', resolve))
  request.destroy()
  await expect(response).rejects.toThrow()
  const again = rig.get(path, pip)
  await closed
  await rig.clock.began(12_000)
  await rig.clock.advance(12_000)
  expect(await again).toMatchObject({ status: 307, continues: 0 })
  await rig.clock.advance(3_600_000)
  await rig.ready()
  const later = rig.open(path, pip)
  await rig.clock.began(8_000)
  later.request.destroy()
})

test('HEAD is answered at once, without a length', async () => {
  const path = await promise()
  const { status, headers } = await rig.get(path, pip, 'HEAD')
  expect([status, headers['content-length'], headers['cache-control']]).toEqual([200, undefined, 'no-store'])
  expect(await jobs()).toEqual([])
})

test('a server that stops sends the held ones on to its successor', async () => {
  const path = await promise()
  const held = [rig.get(path, pip), rig.get(path, uv)]
  await Promise.all([rig.clock.began(8_000), rig.clock.began(25_000)])
  rig.closing.abort()
  const answers = await Promise.all(held)
  for (const { status, headers } of answers) expect([status, headers.connection]).toEqual([307, 'close'])
  // Who comes while it has not gone yet is asked to come again, and uses up no hop.
  const early = await rig.get(path, pip)
  expect([early.status, early.headers['retry-after']]).toEqual([503, '5'])
  await rig.restart()
  const next = rig.get(`${path}${answers[0]!.headers.location}`, pip)
  await rig.clock.began(8_000)
  await rig.publish(await rig.claim(), WHEEL, METADATA)
  expect((await next).body).toEqual(WHEEL)
})

test('a server that stops sends on also whom it would have sent back, or told that time is up', async () => {
  await prepare({ holdLimit: 60 })
  const path = await promise()
  const { headers: { location } } = await patient(path, uv, 25_000)
  const held = [rig.get(`${path}${location}`, uv), rig.get(path, pip)]
  await Promise.all([rig.clock.began(25_000), rig.clock.began(8_000)])
  rig.closing.abort()
  for (const { status, headers } of await Promise.all(held)) expect([status, headers.location?.slice(0, 6)]).toEqual([307, expect.stringMatching(/^\?hop=[12]$/)])
})

test('metadata that the build changed ends those who waited, and only them', async () => {
  const path = await promise()
  const held = rig.get(path, pip)
  await rig.clock.began(8_000)
  const job = await rig.claim()
  await rig.publish(job, WHEEL, METADATA, { metadataChanged: true })
  const { status, reason } = await held
  expect([status, reason]).toEqual([424, `Muslin: the metadata of cffi 1.17 was changed by the build, run again, see ${rig.url}/b/${job.build}`])
  await rig.clock.advance(1)
  expect((await rig.get(path, pip)).body).toEqual(WHEEL)
})

test('METADATA shown before a build changed it ends its download however late that comes, once, and for who was shown it alone', async () => {
  await prepare({ staticMetadata: async () => Buffer.from(METADATA), trustedProxies: ['127.0.0.0/8'] })
  const path = await promise()
  const from = (address: string) => ({ ...pip, 'x-forwarded-for': address })
  for (const address of ['192.0.2.1', '192.0.2.2']) expect((await rig.get(`${path}.metadata`, from(address))).body.toString()).toBe(METADATA)
  const job = await rig.claim()
  await rig.publish(job, WHEEL, `${METADATA}Requires-Dist: pycparser\n`, { metadataChanged: true })
  await rig.clock.advance(600_000)
  expect((await rig.get(path, from('192.0.2.3'))).body).toEqual(WHEEL)
  const { status, reason } = await rig.get(path, from('192.0.2.1'))
  expect([status, reason]).toEqual([424, `Muslin: the metadata of cffi 1.17 was changed by the build, run again, see ${rig.url}/b/${job.build}`])
  expect((await rig.get(path, from('192.0.2.1'))).body).toEqual(WHEEL)
  // Who has asked for it anew holds the right one.
  expect((await rig.get(`${path}.metadata`, from('192.0.2.2'))).body.toString()).toContain('pycparser')
  expect((await rig.get(path, from('192.0.2.2'))).body).toEqual(WHEEL)
})

test('METADATA that differs in nothing an installer compares ends no download', async () => {
  await prepare({ staticMetadata: async () => Buffer.from(METADATA) })
  const path = await promise()
  await rig.get(`${path}.metadata`, pip)
  const held = rig.get(path, pip)
  await rig.clock.began(8_000)
  await rig.publish(await rig.claim(), WHEEL, `${METADATA}Summary: spelt out by the build\n`)
  expect((await held).body).toEqual(WHEEL)
})

test('hops carry when their client first asked and when they were handed out, which any process then knows', async () => {
  let path = await promise()
  const first = path
  const began = rig.clock.now()
  for (let hop = 1; hop <= 3; hop += 1) {
    let answer = await patient(path, proxied, 12_000)
    for (let again = 0; answer.status === 503; again++) {
      expect(again).toBeLessThan(4)
      await rig.restart()
      answer = await patient(path, proxied, 12_000)
    }
    expect(answer.headers.location).toMatch(new RegExp(`^\\?hop=${hop}\\.${began}\\.${rig.clock.now()}\\.`))
    path = `${first}${answer.headers.location}`
    await rig.restart()
  }
})

test('.metadata: held for its own step, while the compile waits behind', async () => {
  const path = await promise()
  const held = rig.get(`${path}.metadata`, pip)
  await rig.clock.began(8_000)
  expect((await jobs()).map(({ kind, priority }) => [kind, priority]).toSorted()).toEqual([['build', PRIORITY.asked], ['metadata', PRIORITY.waiting]])
  const step = await rig.claim('metadata')
  const draft = await rig.blobs.draft()
  await draft.write(Buffer.from(METADATA))
  await rig.store.metadata.set(step.sdist.sha256, step.target, (await draft.keep()).sha256)
  await rig.store.jobs.done(step.build, undefined, rig.clock.now())
  const answer = await held
  expect(answer.body.toString()).toBe(METADATA)
  expect(answer.headers['cache-control']).toBe('private, max-age=0, must-revalidate')
  // The wheel is wanted now: its job is raised, no second one made.
  const wheel = rig.open(path, pip)
  await rig.clock.began(8_000)
  expect((await jobs()).filter(({ kind }) => kind === 'build')).toMatchObject([{ priority: PRIORITY.waiting }])
  wheel.request.destroy()
})

test('.metadata for others than installers starts no compile', async () => {
  const path = await promise()
  const answer = await rig.get(`${path}.metadata`, { 'user-agent': AGENTS.uvLock })
  expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([424, 'start-refused'])
  expect(await jobs()).toEqual([])
})

test('.metadata is known at once where the release\'s wheels agree on it, or the sdist tells', async () => {
  const agreed = { metadata: METADATA }
  rig.upstream.project('cffi', [sdist,
    { filename: 'cffi-1.17-cp313-cp313-macosx_11_0_arm64.whl', bytes: Buffer.from('mac'), ...agreed },
    { filename: 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl', bytes: Buffer.from('glibc'), ...agreed }])
  expect((await rig.get(`${await promise()}.metadata`, pip)).body.toString()).toBe(METADATA)
  expect((await jobs()).map(({ kind }) => kind)).toEqual(['build'])
})

test('.metadata is known at once where the sdist tells it', async () => {
  await prepare({ staticMetadata: async () => Buffer.from(METADATA) })
  expect((await rig.get(`${await promise()}.metadata`, pip)).body.toString()).toBe(METADATA)
  expect((await jobs()).map(({ kind }) => kind)).toEqual(['build'])
})

test('addresses that nobody promised are unknown', async () => {
  const path = await promise()
  for (const wrong of [path.replace(/promise\/./, (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')), path.replace('-1-cp313', '-2-cp313'), path.replace('cffi-1.17', 'cffi-1.18'), '/promise/x/y.whl']) {
    expect([wrong, (await rig.get(wrong, pip)).status]).toEqual([wrong, 404])
  }
})

test('who may start a build', async () => {
  const path = await promise()
  const refused = async (headers: Record<string, string>) => JSON.parse((await rig.get(path, headers)).body.toString()).code
  expect(await refused({ 'user-agent': AGENTS.browser })).toBe('start-refused')
  expect(await refused({ 'user-agent': AGENTS.uvLock })).toBe('start-refused')
  expect(await refused({ ...pip, 'sec-fetch-site': 'cross-site' })).toBe('start-refused')
  expect(await refused({ ...pip, host: 'rebound.example' })).toBe('start-refused')
  expect(await refused({ 'user-agent': 'curl/8', 'authorization': 'Bearer wrong' })).toBe('start-refused')
  expect(await jobs()).toEqual([])
  for (const headers of [{ 'authorization': `Bearer ${ADMIN_TOKEN}` }, { 'authorization': `Basic ${Buffer.from(`any:${ADMIN_TOKEN}`).toString('base64')}` }, { 'user-agent': AGENTS.poetry }, { ...pip, host: 'MUSLIN.internal:8080' }]) {
    const { request } = rig.open(path, { connection: 'close', ...headers })
    await rig.clock.began(12_000)
    request.destroy()
  }
  expect(await jobs()).toMatchObject([{ askedBy: 'admin' }])
})

test('no builder, no start', async () => {
  const path = await promise()
  await rig.clock.advance(61_000)
  const { status, reason } = await rig.get(path, pip)
  expect([status, reason]).toEqual([423, `Muslin: no builder is ready for ${TARGET}; start a worker for it, or install from /finished/simple/, see ${rig.url}/ui/`])
})

test('so many new builds for a client and hour, by its own address behind trusted proxies', async () => {
  await prepare({ buildsPerClient: 1, trustedProxies: ['127.0.0.0/8'] })
  rig.upstream.project('other', [{ filename: 'other-1.0.tar.gz', bytes: Buffer.from('other') }])
  const first = rig.open(await promise(), { ...pip, 'x-forwarded-for': '10.9.9.9, 192.0.2.1' })
  await rig.clock.began(12_000)
  first.request.destroy()
  expect(await jobs()).toMatchObject([{ askedBy: '192.0.2.1' }])
  const page = JSON.parse((await rig.get('/simple/other/', { ...pip, accept: JSON_V1 })).body.toString())
  const path = new URL(page.files[1].url, 'http://h/simple/other/').pathname
  const refused = await rig.get(path, { ...pip, 'x-forwarded-for': '192.0.2.1' })
  expect(JSON.parse(refused.body.toString()).code).toBe('too-many-builds')
  const another = rig.open(path, { ...pip, 'x-forwarded-for': '192.0.2.2' })
  await rig.clock.began(12_000)
  another.request.destroy()
  expect(await jobs()).toHaveLength(2)
})

test('a full queue takes no more', async () => {
  await prepare({ queueLimit: 0 })
  const { status, body } = await rig.get(await promise(), { ...pip, authorization: `Bearer ${ADMIN_TOKEN}` })
  expect([status, JSON.parse(body.toString()).code]).toEqual([423, 'queue-full'])
})

test('a running build\'s log comes as it is written', async () => {
  const path = await promise()
  const { request } = rig.open(path, pip)
  await rig.clock.began(8_000)
  const job = await rig.claim()
  const log = await rig.logs.open(job.build!)
  log.write('one\n')
  const watched = rig.get(`/b/${job.build}`)
  await rig.clock.began(500)
  log.write('two\n')
  await rig.clock.advance(500)
  await rig.clock.began(500)
  log.write('three\n')
  await log.close()
  await rig.fail(job, { class: 'build-failed', key: 'exit code 1' })
  await rig.clock.advance(500)
  expect((await watched).body.toString()).toBe('one\ntwo\nthree\n')
  request.destroy()
  for (const absent of ['/b/999', '/b/1e3', '/b/x']) expect((await rig.get(absent)).status).toBe(404)
})

test('who watches a log longer than what is kept of it misses nothing, and what it ends with least of all', async () => {
  await prepare({ logBytes: 200 })
  const { request } = rig.open(await promise(), pip)
  await rig.clock.began(8_000)
  const job = await rig.claim()
  const log = await rig.logs.open(job.build!)
  const watched = rig.get(`/b/${job.build}`)
  let all = ''
  for (let i = 0; i < 20; i += 1) {
    await rig.clock.began(500)
    const line = `${i}: ${'x'.repeat(40)}\n`
    log.write(line)
    all += line
    await rig.clock.advance(500)
  }
  await rig.clock.began(500)
  log.write('Muslin: failed\n')
  await log.close()
  await rig.fail(job, { class: 'build-failed', key: 'exit code 1' })
  await rig.clock.advance(500)
  expect((await watched).body.toString()).toBe(`${all}Muslin: failed\n`)
  request.destroy()
})

test('a promised wheel counts as it is served, by one client once an hour, and saves the seconds of its build', async () => {
  const path = await promise()
  const held = rig.get(path, pip)
  await rig.clock.began(8_000)
  const job = await rig.claim()
  await rig.clock.advance(7_000)
  await rig.publish(job, WHEEL, METADATA)
  await held
  await rig.get(`${path}.metadata`, pip)
  await rig.get(path, pip)
  await rig.downloads.flush()
  expect(await rig.store.downloads.totals()).toEqual({ files: 2, wheels: 1, savedSeconds: 7 })
  await rig.clock.advance(3_600_000)
  await rig.get(`/files/${sha256(WHEEL)}/cffi-1.17-1-cp313-cp313-musllinux_1_2_x86_64.whl`, pip)
  await rig.downloads.flush()
  expect(await rig.store.downloads.totals()).toEqual({ files: 3, wheels: 2, savedSeconds: 14 })
})
