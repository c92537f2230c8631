import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { JSON_V1 } from '../../synthetic-upstream.ts'
import { type Answer, AGENTS, makeRig, type Options, type Rig, TARGET } from '../rig.ts'

const LOOK_MS = 5_000
const METADATA = 'Metadata-Version: 2.1\nName: cffi\nVersion: 1.17\n'
const GONE = 'cp312-musllinux_1_2_x86_64'
const pip = { 'user-agent': AGENTS.pip }
const uv = { 'user-agent': AGENTS.uv }

let rig: Rig
beforeEach(async () => { rig = await makeRig(); await prepare() })
afterEach(() => rig.close())

async function prepare(options?: Options): Promise<void> {
  if (options) await rig.restart(options)
  rig.upstream.project('cffi', [{ filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('the sdist of cffi') }])
  await rig.ready()
}

async function promise(view = '/simple'): Promise<string> {
  const page = JSON.parse((await rig.get(`${view}/cffi/`, { ...pip, accept: JSON_V1 })).body.toString())
  const found = page.files.find((file: { url: string }) => file.url.includes('/promise/'))
  return found && new URL(found.url, `http://h${view}/cffi/`).pathname
}

/** A pip that is held. */
async function hold(path: string): Promise<{ held: Promise<Answer> }> {
  const held = rig.get(path, pip)
  held.catch(() => {})
  await rig.clock.began(8_000)
  return { held }
}

/** The next look of a held request at its job. */
async function look(): Promise<void> {
  await rig.clock.began(LOOK_MS)
  await rig.clock.advance(LOOK_MS)
}

/** What a client is told: one line of ASCII that is the reason phrase and the detail of the body alike, and no status that is retried. */
function told(answer: Answer): { status: number; code: string; line: string } {
  const { status, reason, headers, body } = answer
  const problem = JSON.parse(body.toString()) as { code: string; status: number; detail: string; link?: string }
  expect([423, 424]).toContain(status)
  expect(reason).toMatch(/^Muslin: [\x20-\x7e]{1,192}$/)
  expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  expect(problem.status).toBe(status)
  expect(reason).toBe(problem.detail.startsWith('Muslin: ') ? problem.detail : `Muslin: ${problem.detail}`)
  if (problem.link !== undefined) expect(reason).toMatch(new RegExp(`, see ${problem.link}$`))
  return { status, code: problem.code, line: reason }
}

describe.each([['a wheel', ''], ['its metadata', '.metadata']])('who asks for %s', (_, suffix) => {
  const kind = suffix === '' ? 'build' : 'metadata'

  test('while the queue is full is told at once; who waits already waits on', async () => {
    await prepare({ queueLimit: 0 })
    const path = await promise()
    const { line, ...rest } = told(await rig.get(`${path}${suffix}`, pip))
    expect([rest, line]).toEqual([{ status: 423, code: 'queue-full' }, `Muslin: 0 are queued already; try again later, or raise queueLimit, see ${rig.url}/ui/`])
    await prepare({ queueLimit: 2 })
    const { held } = await hold(`${path}${suffix}`)
    rig.closing.abort()
    const hop = `${path}${suffix}${(await held).headers.location}`
    await prepare({ queueLimit: 0 })
    const again = rig.open(hop, pip)
    await rig.clock.began(8_000)
    await look()
    expect(await rig.store.jobs.list({ kind })).toMatchObject([{ state: 'queued' }])
    again.request.destroy()
  })

  test('during a pause is told at once, and who waits for what is queued soon', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    await rig.store.jobs.pause('the machine is moved', rig.clock.now())
    await look()
    const expected = { status: 423, code: 'paused', line: `Muslin: builds are paused, run again later: the machine is moved, see ${rig.url}/ui/` }
    expect(told(await held)).toEqual(expected)
    expect(told(await rig.get(`${path}${suffix}`, uv))).toEqual(expected)
    expect(await promise()).toBeUndefined()
    await rig.store.jobs.resume()
    expect(await promise()).toBe(path)
    await hold(`${path}${suffix}`)
    rig.closing.abort()
  })

  test('during a pause waits on where it runs already, and so does who comes to it', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    const job = await rig.claim('build').catch(() => rig.claim(kind))
    await rig.store.jobs.pause(undefined, rig.clock.now())
    await look()
    const { held: second } = await hold(`${path}${suffix}`)
    await rig.publish(job, Buffer.from('wheel'), METADATA)
    if (suffix !== '') await rig.store.jobs.metadataKnown(job.sdist.sha256, job.target, rig.clock.now())
    for (const answer of [held, second]) expect((await answer).status).toBe(200)
  })

  test('without a builder is told at once; who waits for what is queued once it was gone for two minutes', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    // The engine is gone: its worker says so with its next heartbeat.
    await rig.store.workers.beat('worker', {}, rig.clock.now())
    expect(await promise()).toBeUndefined()
    const expected = { status: 423, code: 'no-builder', line: `Muslin: no builder is ready for ${TARGET}; start a worker for it, or install from /finished/simple/, see ${rig.url}/ui/` }
    expect(told(await rig.get(`${path}${suffix}`, pip))).toEqual(expected)
    let ended = false
    void held.then(() => { ended = true })
    for (let ms = 0; ms < 115_000; ms += LOOK_MS) await look()
    expect(ended).toBe(false)
    await look()
    expect(told(await held)).toEqual(expected)
  })

  test('waits on when a builder is back in time, and on a hop that comes while it is away', async () => {
    const path = await promise()
    const held = rig.get(`${path}${suffix}`, uv)
    await rig.clock.began(25_000)
    await rig.store.workers.beat('worker', {}, rig.clock.now())
    await rig.clock.advance(25_000)
    const { status, headers: { location } } = await held
    expect(status).toBe(307)
    const hop = rig.get(`${path}${suffix}${location}`, uv)
    await rig.clock.began(25_000)
    for (let ms = 0; ms < 20_000; ms += LOOK_MS) await look()
    await rig.ready()
    const job = await rig.claim('build').catch(() => rig.claim(kind))
    await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
    expect(told(await hop)).toMatchObject({ status: 424, code: 'build-failed' })
  })

  test('waits on where a clock jumped, as on a machine that slept: all that was heard is old, and nobody was missed yet', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    let ended = false
    void held.then(() => { ended = true })
    rig.clock.jump(600_000)
    for (let ms = 0; ms < 15_000; ms += LOOK_MS) await look()
    expect(ended).toBe(false)
    await rig.ready()
    for (let ms = 0; ms < 50_000; ms += LOOK_MS) await look()
    expect(ended).toBe(false)
    await rig.store.workers.beat('worker', {}, rig.clock.now())
    for (let ms = 50_000; ms < 120_000; ms += LOOK_MS) await look()
    expect(told(await held)).toMatchObject({ status: 423, code: 'no-builder' })
  })

  test('of a worker that died while it built is told once nobody was heard of for two minutes', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    await rig.claim('build').catch(() => rig.claim(kind))
    for (let ms = 0; ms < 120_000; ms += LOOK_MS) await look()
    expect(told(await held)).toMatchObject({ status: 423, code: 'no-builder' })
  })

  test('is told of a recipe that skips it, whether it was set before or meanwhile', async () => {
    const path = await promise()
    const { held } = await hold(`${path}${suffix}`)
    const layer = { project: 'cffi', versions: undefined, targets: undefined, origin: 'site', note: undefined, recipe: { skip: 'use the apk py3-cffi' }, evidence: undefined, createdBy: 'admin', createdAt: 0 } as const
    await rig.store.recipes.add(layer)
    await look()
    const expected = { status: 424, code: 'not-built-here', line: 'Muslin: cffi 1.17 is not built here: use the apk py3-cffi' }
    expect(told(await held)).toEqual(expected)
    expect(told(await rig.get(`${path}${suffix}`, pip))).toEqual(expected)
  })

  test('for a target that is no longer configured is told so, and one that never was is nobody\'s promise', async () => {
    await prepare({ targets: [TARGET, GONE] })
    await rig.store.workers.beat('other', { [GONE]: 'image-2' }, rig.clock.now())
    const path = await promise(`/target/${GONE}/simple`)
    const held = rig.get(`${path}${suffix}`, uv)
    await rig.clock.began(25_000)
    await rig.clock.advance(25_000)
    await held
    await rig.store.workers.beat('other', {}, rig.clock.now())
    await prepare({})
    const hop = `${path}${suffix}${(await held).headers.location}`
    const expected = { status: 424, code: 'target-gone', line: `Muslin: ${GONE} is no longer a target of this server; it has ${TARGET}, see ${rig.url}/ui/` }
    expect(told(await rig.get(`${path}${suffix}`, pip))).toEqual({ ...expected, line: expect.stringContaining(expected.line) })
    await rig.clock.advance(120_000)
    expect(told(await rig.get(hop, uv))).toMatchObject({ code: 'target-gone' })
    expect((await rig.get(path.replaceAll('cp312', 'cp311'), pip)).status).toBe(404)
  })
})

test('a client that started too many is told so, and by which setting that is bound', async () => {
  await prepare({ buildsPerClient: 0 })
  expect(told(await rig.get(await promise(), pip))).toEqual({ status: 423, code: 'too-many-builds', line: `Muslin: 127.0.0.1 started 0 new builds within an hour; try again later, or with the admin's token, see ${rig.url}/ui/` })
})

test('the last word names what is left by the queue and by earlier builds on this target, and nothing once that is over', async () => {
  await prepare({ holdLimit: 25 })
  rig.upstream.project('cffi', [['1.16', 100], ['1.17', 0], ['1.15', 0]].map(([version]) => ({ filename: `cffi-${version}.tar.gz`, bytes: Buffer.from(`cffi ${version}`) })))
  await rig.clock.advance(61_000)
  await rig.ready()
  const page = JSON.parse((await rig.get('/simple/cffi/', { ...pip, accept: JSON_V1 })).body.toString())
  const paths = new Map<string, string>(page.files.flatMap(({ url, filename }: { url: string; filename: string }) => url.includes('/promise/') ? [[filename.split('-')[1], new URL(url, 'http://h/simple/cffi/').pathname]] : []))
  const patient = async (version: string) => {
    const held = rig.get(paths.get(version)!, uv)
    await rig.clock.began(25_000)
    return { line: async () => { await rig.ready(); await rig.clock.advance(25_000); return told(await held).line } }
  }
  const first = await patient('1.16')
  const build = await rig.claim()
  expect(await first.line()).toBe(`Muslin: cffi 1.16 is still building, run again, see ${rig.url}/b/${build.build}`)
  await rig.clock.advance(275_000)
  await rig.publish(build, Buffer.from('wheel'), METADATA)
  await rig.ready()
  const second = await patient('1.17')
  const running = await rig.claim()
  expect(await second.line()).toBe(`Muslin: cffi 1.17 is still building, about 5 min left, run again, see ${rig.url}/b/${running.build}`)
  await rig.clock.advance(280_000)
  await rig.ready()
  // Two builds at once: this one begins now.
  const third = await patient('1.15')
  expect(await third.line()).toBe('Muslin: cffi 1.15 is still building, about 5 min left, run again')
  const late = await patient('1.17')
  expect(await late.line()).toBe(`Muslin: cffi 1.17 is still building, run again, see ${rig.url}/b/${running.build}`)
})

describe('a resolver that backtracks', () => {
  const COUNT = 60
  async function paths(): Promise<string[]> {
    rig.upstream.project('deep', Array.from({ length: COUNT }, (_, n) => ({ filename: `deep-1.${n}.tar.gz`, bytes: Buffer.from(`deep 1.${n}`) })))
    const page = JSON.parse((await rig.get('/simple/deep/', { ...pip, accept: JSON_V1 })).body.toString())
    return page.files.flatMap(({ url }: { url: string }) => url.includes('/promise/') ? [new URL(url, 'http://h/simple/deep/').pathname] : [])
  }
  const ask = async (path: string) => {
    const { request } = rig.open(path, pip)
    await rig.clock.began(8_000)
    request.destroy()
  }
  const count = (kind: 'build' | 'metadata') => rig.store.jobs.count('queued', kind)

  test('starts a metadata step for each release, and compiles of twenty in a minute; joining one counts as none, and the wheel itself starts the others', async () => {
    const all = await paths()
    expect(all).toHaveLength(COUNT)
    for (const path of all) await ask(`${path}.metadata`)
    expect([await count('metadata'), await count('build')]).toEqual([COUNT, 20])
    for (const path of all.slice(0, 20)) await ask(`${path}.metadata`)
    expect(await count('build')).toBe(20)
    await ask(all[40]!)
    expect(await count('build')).toBe(21)
    await rig.clock.advance(60_001)
    await rig.ready()
    for (const path of all.slice(20)) await ask(`${path}.metadata`)
    expect(await count('build')).toBe(41)
  })

  test('starts what the settings say: none in advance, and so many metadata steps', async () => {
    await prepare({ aheadPerClient: 0, metadataPerClient: 5 })
    const all = await paths()
    for (const path of all.slice(0, 5)) await ask(`${path}.metadata`)
    expect(told(await rig.get(`${all[5]}.metadata`, pip))).toMatchObject({ status: 423, code: 'too-many-builds' })
    expect([await count('metadata'), await count('build')]).toEqual([5, 0])
    await ask(all[5]!)
    expect(await count('build')).toBe(1)
  })
})
