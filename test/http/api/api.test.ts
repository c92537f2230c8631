import { once } from 'node:events'
import { type IncomingMessage, request as sendRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pino } from 'pino'
import supertest from 'supertest'
import { MuslinError } from '../../../src/errors.ts'
import { branchesOf } from '../../branches.ts'
import { JSON_V1, sha256 } from '../../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig, TARGET } from '../rig.ts'
import { ask as askAt, type Asked, declared, seen } from './checked.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig()
  rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }, { filename: 'demo-0.9-py3-none-any.whl', bytes: Buffer.from('a wheel') }])
  await rig.ready()
})
afterEach(() => rig.close())

const get = (path: string, asked?: Asked) => askAt(rig.url, 'get', path, asked)
const post = (path: string, body?: object, asked?: Asked) => askAt(rig.url, 'post', path, { ...body && { body }, ...asked })
const order = async (): Promise<number> => (await post('/jobs', { project: 'demo' })).body.jobs[0].id
const lock = { files: [{ name: 'requirements.txt', text: 'demo==1.0\n' }] }

/** A plan's request whose body the test sends. */
function begin(headers: Record<string, string>): { request: ReturnType<typeof sendRequest>; response: Promise<IncomingMessage> } {
  const request = sendRequest(new URL('/api/v1/plan', rig.url), { method: 'POST', headers, agent: false })
  return { request, response: once(request, 'response').then(([answer]) => answer as IncomingMessage) }
}

describe('jobs', () => {
  test('are ordered, listed, shown, cancelled and tried again', async () => {
    const made = await post('/jobs', { project: 'Demo', version: '1', targets: [TARGET] })
    expect(made.status).toBe(201)
    expect(made.body.jobs).toMatchObject([{ project: 'demo', version: '1.0', state: 'queued', priority: 'waiting', askedBy: 'admin', ahead: 0 }])
    const { id } = made.body.jobs[0]
    expect((await get('/jobs?state=queued&kind=build&project=demo&limit=5')).body.jobs).toEqual(made.body.jobs)
    expect((await get(`/jobs?before=${id}`)).body.jobs).toEqual([])
    expect((await get(`/jobs/${id}`, { token: '' })).body).toEqual(made.body.jobs[0])
    expect((await post(`/jobs/${id}/retry`)).body).toMatchObject({ code: 'not-possible-now', status: 409 })
    expect((await post(`/jobs/${id}/cancel`)).body).toMatchObject({ state: 'cancelled', failure: { class: 'cancelled' } })
    expect((await post(`/jobs/${id}/cancel`, {})).body).toMatchObject({ code: 'not-possible-now' })
    expect((await post(`/jobs/${id}/retry`)).body).toMatchObject({ state: 'queued', failure: null })
  })

  test('are listed a hundred at once for anybody, a thousand for the admin, and by any spelling of the project', async () => {
    const id = await order()
    expect((await get('/jobs?limit=100', { token: '' })).body.jobs).toHaveLength(1)
    expect((await get('/jobs?limit=101', { token: '' }))).toMatchObject({ status: 401, body: { code: 'token-needed', detail: expect.stringContaining('100') } })
    expect((await get('/jobs?limit=1000')).body.jobs).toHaveLength(1)
    expect((await get('/jobs?project=DEMO')).body.jobs).toMatchObject([{ id }])
    expect((await get('/jobs?project=..')).body.jobs).toEqual([])
  })

  test('that are for a trial are not the build', async () => {
    const build = await order()
    const trial = (await post('/jobs', { project: 'demo', publish: false })).body.jobs[0]
    expect(trial).toMatchObject({ kind: 'trial' })
    expect(trial.id).not.toBe(build)
  })

  test('that cannot be are refused by their cause', async () => {
    expect((await post('/jobs', { project: '.' })).body.code).toBe('bad-name')
    expect((await post('/jobs', { project: 'nothing' })).body.code).toBe('no-such-project')
    expect((await post('/jobs', { project: 'demo', version: '0.9' })).body.code).toBe('no-such-release')
    expect((await post('/jobs', { project: 'demo', targets: ['cp399-x'] })).body.code).toBe('unknown-target')
    for (const path of ['/jobs/99', '/builds/99', '/builds/99/log', '/prebuilds/99', '/projects/other', '/projects/-']) expect([400, 404]).toContain((await get(path)).status)
    for (const path of ['/jobs/99/retry', '/jobs/99/cancel']) expect((await post(path)).body.code).toBe('no-such-job')
    rig.upstream.break(503)
    expect((await post('/jobs', { project: 'two' })).body.code).toBe('upstream-refused')
    rig.upstream.break(200)
    expect((await post('/jobs', { project: 'three' })).body.code).toBe('upstream-bad-answer')
    await rig.upstream.close()
    rig.upstream.close = async () => undefined
    expect((await post('/jobs', { project: 'four' })).body.code).toBe('upstream-unreachable')
    await rig.clock.advance(60_001)
    expect((await post('/jobs', { project: 'demo' })).body.code).toBe('no-builder')
    expect((await get('/jobs')).body).toEqual({ jobs: [] })
  })
})

describe('builds', () => {
  test('show their steps and their record, and their log as text', async () => {
    await order()
    const run = await rig.claim()
    const log = await rig.logs.open(run.build)
    log.write('Muslin: begins\ncc -c x.c\n')
    await log.close()
    await rig.store.jobs.step(run.build, 'plan', rig.clock.now())
    await rig.fail(run, { class: 'compiler-error', key: 'x.c' })
    expect((await get(`/builds/${run.build}`)).body).toMatchObject({ job: run.id, failure: { cause: 'does not compile: x.c' }, steps: [{ step: 'plan', state: 'failed' }, {}, {}, {}, {}, {}, {}, {}] })
    // Whatever a browser says that it takes: this is the whole log for those who follow a link to it.
    const whole = await get(`/builds/${run.build}/log`, { headers: { 'user-agent': AGENTS.browser, 'accept': 'text/html,*/*;q=0.8' } })
    expect(whole).toMatchObject({ status: 200, text: 'Muslin: begins\ncc -c x.c\n', headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } })
    expect((await rig.get(`/api/v1/builds/${run.build}/log`, {}, 'HEAD')).status).toBe(200)
  })
})

describe('recipes', () => {
  const recipe = { project: 'Demo', versions: '<2', apks: ['zlib-dev'], env: { CFLAGS: '-O1' }, limits: { memory: '2g' }, note: 'why' }

  test('are set, shown, exported, imported and taken back', async () => {
    const made = await post('/recipes', recipe)
    expect(made).toMatchObject({ status: 201, body: { ...recipe, project: 'demo', origin: 'site', createdBy: 'admin', evidence: null, id: expect.any(Number) } })
    expect((await get('/recipes')).body).toEqual({ recipes: [made.body], builtIn: expect.arrayContaining(['pyyaml']) })
    expect((await get('/projects/DEMO/recipe')).body).toEqual({ project: 'demo', layers: [made.body] })
    expect((await get('/projects/pyyaml/recipe', { token: '' })).body.layers).toMatchObject([{ id: null, origin: 'built-in', apks: ['yaml-dev'], expected: 'native' }])
    const file = await get('/recipes.toml?project=demo')
    expect(file).toMatchObject({ status: 200, headers: { 'content-type': 'application/toml; charset=utf-8', 'content-disposition': 'attachment; filename="recipes.toml"' } })
    expect((await askAt(rig.url, 'delete', `/recipes/${made.body.id}`)).body).toEqual(made.body)
    expect((await get('/projects/demo/recipe')).body.layers).toEqual([])
    const imported = await post('/recipes/import', { name: 'recipes.toml', text: file.text })
    expect(imported).toMatchObject({ status: 201, body: { recipes: [{ ...recipe, project: 'demo' }] } })
  })

  test('that cannot be used are refused by what is wrong in them', async () => {
    expect((await post('/recipes', { project: 'demo', apks: ['--root'] })).body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('apks.0: accepted: the name of an apk') })
    expect((await post('/recipes', { project: 'demo', env: { LD_PRELOAD: 'x' } })).body.detail).toContain('belongs to the sandbox')
    expect((await post('/recipes/import', { name: 'x.toml', text: 'apks = 1' })).body).toMatchObject({ code: 'bad-recipe', detail: expect.stringMatching(/^x\.toml: apks cannot/) })
    expect((await askAt(rig.url, 'delete', '/recipes/99')).body.code).toBe('no-such-recipe')
    expect((await get('/projects/-/recipe')).body.code).toBe('bad-name')
    expect((await get('/recipes.toml?project=-')).body.code).toBe('bad-name')
  })

  test('get the apk that a build was missing, and it is built by another job', async () => {
    const first = await order()
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'ffi.h' })
    expect((await get(`/jobs/${first}`)).body.failure.apks).toEqual(['libffi-dev'])
    const again = await post(`/jobs/${first}/add-apks`, { apks: ['libffi-dev'] })
    expect(again).toMatchObject({ status: 201, body: { state: 'queued', project: 'demo', kind: 'build' } })
    expect(again.body.id).not.toBe(first)
    expect((await get('/projects/demo/recipe')).body.layers).toMatchObject([{ apks: ['libffi-dev'], origin: 'site' }])
    expect((await post(`/jobs/${again.body.id}/add-apks`, { apks: ['x'] })).body.code).toBe('not-possible-now')
    expect((await post('/jobs/99/add-apks', { apks: ['x'] })).body.code).toBe('no-such-job')
    expect((await post(`/jobs/${first}/add-apks`, { apks: ['-x'] })).body.code).toBe('bad-request')
    await rig.fail(await rig.claim(), { class: 'missing-header', key: 'x.h' })
    await post('/recipes', { project: 'demo', skip: 'for glibc alone', versions: '>0' })
    expect((await post(`/jobs/${first}/add-apks`, { apks: ['x'] })).body).toMatchObject({ code: 'not-built-here', detail: expect.stringContaining('for glibc alone') })
    expect((await post('/jobs', { project: 'demo' })).body.code).toBe('not-built-here')
    await rig.clock.advance(60_001)
    expect((await post(`/jobs/${first}/add-apks`, { apks: ['x'] })).body.code).toBe('no-builder')
  })
})

describe('plans', () => {
  test('tell what becomes of each pin, without a token and without a job', async () => {
    const { body } = await post('/plan', { ...lock, targets: [TARGET] }, { token: '' })
    expect(body).toMatchObject({ targets: [TARGET], files: [{ kind: 'requirements', pins: 1 }], lines: [{ project: 'demo', verdict: 'would-build', file: 'requirements.txt', line: 1 }], totals: { wouldBuild: 1 } })
    expect((await get('/jobs')).body.jobs).toEqual([])
  })

  test('are built, and tell how far they are', async () => {
    const made = await post('/prebuilds', lock)
    expect(made).toMatchObject({ status: 201, body: { total: 1, done: 0, finished: false, askedBy: 'admin', lines: [{ state: 'queued' }] } })
    const run = await rig.claim()
    await rig.publish(run, Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    expect((await get(`/prebuilds/${made.body.id}`)).body).toMatchObject({ done: 1, failed: 0, finished: true, remainingSeconds: null, lines: [{ state: 'built', build: run.build }] })
    expect((await get('/prebuilds?limit=1')).body.prebuilds).toMatchObject([{ id: made.body.id, name: 'requirements.txt' }])
    expect((await get(`/jobs/${run.id}`)).body.wheel).toMatchObject({ sha256: sha256('the wheel'), tried: false })
    expect((await get('/projects/demo')).body.releases).toMatchObject([{ version: '1.0', cells: { [TARGET]: { verdict: 'built', job: run.id } } }, { version: '0.9', cells: { [TARGET]: { verdict: 'pure-wheel' } } }])
  })

  test('that cannot be read are refused with every bad line', async () => {
    for (const path of ['/plan', '/prebuilds']) {
      const { body } = await post(path, { files: [{ name: 'requirements.txt', text: 'demo\nother>=1\n' }] })
      expect(body).toMatchObject({ code: 'bad-lock', detail: expect.stringMatching(/1\b[\s\S]*2\b/) })
      expect((await post(path, { ...lock, targets: ['cp399-x'] })).body.code).toBe('unknown-target')
    }
    expect((await post('/prebuilds', { ...lock, only: [{ project: 'x', version: '1', target: TARGET }] })).body.code).toBe('bad-request')
    await rig.clock.advance(60_001)
    expect((await post('/plan', lock)).body.lines).toMatchObject([{ verdict: 'cannot', why: expect.stringContaining('no builder') }])
  })
})

describe('locks with hashes', () => {
  const locked = (text: string) => ({ files: [{ name: 'requirements.txt', text }], targets: [TARGET] })
  const line = `demo==1.0 \\\r\n    --hash=sha256:${sha256('an sdist')}\r\n`

  test('get those of our wheels, without a token, and nothing is built for them', async () => {
    const before = await post('/lock-hashes', locked(line), { token: '' })
    expect(before.body).toMatchObject({ targets: [TARGET], files: [{ name: 'requirements.txt', kind: 'requirements', added: 0, roots: [], text: line }], lines: [{ project: 'demo', state: 'to-build', line: 1 }] })
    expect((await get('/jobs')).body.jobs).toEqual([])
    await order()
    await rig.publish(await rig.claim(), Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    const { body } = await post('/lock-hashes', locked(line), { token: '' })
    expect(body.lines).toMatchObject([{ state: 'added', sha256: sha256('the wheel') }])
    expect(body.files[0].text).toBe(line.replace('    --hash', `    --hash=sha256:${sha256('the wheel')} \\\r\n    --hash`))
  })

  test('are refused where there is none, or no target, and planned one at a time', async () => {
    expect((await post('/lock-hashes', lock)).body).toMatchObject({ code: 'bad-lock', detail: expect.stringContaining('it has no hashes') })
    expect((await post('/lock-hashes', { ...lock, targets: ['cp399-x'] })).body.code).toBe('unknown-target')
    const started = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const read = rig.store.pages.get
    rig.store.pages.get = async (project) => {
      started.resolve()
      await goOn.promise
      return read(project)
    }
    const first = post('/lock-hashes', locked(line), { token: '' })
    const second = started.promise.then(() => post('/lock-hashes', locked(line), { token: '' })).finally(goOn.resolve)
    expect((await second).body.code).toBe('busy')
    expect((await first).status).toBe(200)
  })

  test('are made in the turn of their plan', async () => {
    await order()
    await rig.publish(await rig.claim(), Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    const [adding, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const read = rig.store.wheels.wheels
    let reads = 0
    rig.store.wheels.wheels = async (project) => {
      reads += 1
      // The plan reads them first, then who adds their hashes.
      if (reads === 2) {
        adding.resolve()
        await goOn.promise
      }
      return read(project)
    }
    const first = post('/lock-hashes', locked(line), { token: '' })
    const second = adding.promise.then(() => post('/lock-hashes', locked(line), { token: '' })).finally(goOn.resolve)
    expect((await second).body.code).toBe('busy')
    expect((await first).status).toBe(200)
    expect((await post('/lock-hashes', locked(line), { token: '' })).status).toBe(200)
  })

  describe('that hold URLs', () => {
    const uv = (index: string) => `version = 1\n\n[[package]]\nname = "x"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [{ name = "demo" }]\n\n[[package]]\nname = "demo"\nversion = "1.0"\nsource = { registry = "${index}" }\nsdist = { url = "https://upstream.example/demo-1.0.tar.gz", hash = "sha256:${sha256('an sdist')}" }\n`
    const roots = async (index: string, host?: string) => {
      const { body } = await post('/lock-hashes', { files: [{ name: 'uv.lock', text: uv(index) }], targets: [TARGET] }, host === undefined ? {} : { headers: { host } })
      return body.code ?? body.files[0].roots[0]
    }
    const wheel = async () => {
      await order()
      await rig.publish(await rig.claim(), Buffer.from('the wheel'), 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    }

    test('point to their own index where that is this server, else to where it was asked', async () => {
      await wheel()
      const { port } = new URL(rig.url)
      expect(await roots('https://upstream.example/simple')).toBe(`${rig.url}/`)
      expect(await roots(`http://localhost:${port}/finished/simple/`)).toBe(`http://localhost:${port}/`)
      expect(await roots(`http://muslin.internal:${port}/simple/`)).toBe(`http://muslin.internal:${port}/`)
      // Another port, machine or scheme is somebody else's.
      for (const other of ['http://localhost:1/simple/', `http://10.0.0.1:${port}/simple/`, `https://localhost:${port}/simple/`, `http://localhost:${port}/root/`]) expect(await roots(other)).toBe(`${rig.url}/`)
      expect(await roots('https://upstream.example/simple', 'elsewhere.example')).toBe('strange-host')
    })

    test('point to publicUrl where it is set', async () => {
      await rig.restart({ publicUrl: 'https://muslin.example/x' })
      await rig.ready()
      await wheel()
      expect(await roots('https://upstream.example/simple')).toBe('https://muslin.example/x/')
      expect(await roots('https://muslin.example/x/simple/')).toBe('https://muslin.example/x/')
      expect(await roots('https://muslin.internal/x/finished/simple/')).toBe('https://muslin.internal/x/')
      // Another path of a name of ours is another server behind the same proxy.
      for (const name of ['muslin.example', 'muslin.internal']) for (const path of ['simple/', 'nexus/repository/simple/', 'x/y/simple/']) expect(await roots(`https://${name}/${path}`)).toBe('https://muslin.example/x/')
    })

    test('hold no name and password of publicUrl', async () => {
      await rig.restart({ publicUrl: 'https://name:word@muslin.example' })
      await rig.ready()
      await wheel()
      expect(await roots('https://upstream.example/simple')).toBe('https://muslin.example/')
    })

    test('are refused under a port that is none', async () => {
      await wheel()
      expect(await roots('http://localhost:99/simple/', 'localhost:99999')).toBe('strange-host')
    })
  })
})

test('the server as a whole: figures and targets', async () => {
  await order()
  expect((await get('/stats')).body).toMatchObject({ queued: 1, running: 0, failed: 0, workers: 1, targets: [{ name: TARGET, ready: true, image: 'image-1', configured: true, python: '3.13', cpu: 'x86_64' }] })
  expect((await get('/targets')).body.targets).toHaveLength(1)
})

test('builds are paused and resumed, in all processes and after a restart', async () => {
  expect((await get('/stats')).body.pause).toBeNull()
  const since = new Date(rig.clock.now()).toISOString()
  expect((await post('/pause', { reason: ' the machine\nis moved ' })).body).toEqual({ pause: { since, reason: 'the machine is moved' } })
  const id = await order()
  await expect(rig.claim()).rejects.toThrow('nothing to claim')
  expect((await get(`/jobs/${id}`)).body).toMatchObject({ state: 'queued', ahead: 0, paused: 'builds are paused: the machine is moved', startsInSeconds: null, remainingSeconds: null })
  await rig.restart()
  await rig.clock.advance(1000)
  expect((await get('/stats')).body.pause).toEqual({ since, reason: 'the machine is moved' })
  expect((await post('/pause', {})).body, 'no reason leaves the one there is').toEqual({ pause: { since, reason: 'the machine is moved' } })
  expect((await post('/pause', { reason: 'still' })).body).toEqual({ pause: { since, reason: 'still' } })
  expect((await post('/pause', { reason: 'x'.repeat(201) })).body.code).toBe('bad-request')
  for (let again = 0; again < 2; again++) expect((await post('/resume', {})).body).toEqual({ pause: null })
  expect((await get(`/jobs/${id}`)).body.paused).toBeNull()
  expect(await rig.claim()).toMatchObject({ project: 'demo' })
})

describe('a request', () => {
  test('that changes something needs the token; none that reads does', async () => {
    const id = await order()
    for (const token of ['', 'wrong', 'x'.repeat(10_000)]) {
      expect(await askAt(rig.url, 'delete', '/recipes/1', { token })).toMatchObject({ status: 401, body: { code: 'token-needed' } })
      for (const path of ['/jobs', '/prebuilds', `/jobs/${id}/cancel`, `/jobs/${id}/retry`, `/jobs/${id}/add-apks`, '/recipes', '/recipes/import', '/pause', '/resume']) {
        const refused = await post(path, { project: 'demo' }, { token })
        expect(refused).toMatchObject({ status: 401, body: { code: 'token-needed' } })
      }
      for (const path of ['/jobs', `/jobs/${id}`, '/prebuilds', '/stats', '/targets']) expect((await get(path, { token })).status).toBe(200)
    }
    expect((await get(`/jobs/${id}`)).body.state).toBe('queued')
  })

  test('that is malformed is told what is wrong, in one line', async () => {
    const wrong: [string, object][] = [['/jobs', {}], ['/jobs', { project: 3 }], ['/jobs', { project: 'demo', target: TARGET }], ['/plan', { files: [] }], ['/prebuilds', { ...lock, only: [{ project: 'demo' }] }]]
    for (const [path, body] of wrong) {
      const refused = await post(path, body)
      expect(refused.body).toMatchObject({ status: 400, code: 'bad-request', detail: expect.stringMatching(/^in the body: .*openapi\.json says what is taken$/) })
    }
    for (const path of ['/jobs?state=odd', '/jobs?limit=0', '/jobs?limit=many', '/jobs?limit=0x10', '/jobs?limit=1001', '/jobs?before=1e1', '/jobs?page=2', '/jobs?state=queued&state=built', '/prebuilds?limit=5000']) {
      expect((await get(path)).body.detail).toMatch(/^in the query: /)
    }
    for (const path of ['/jobs/x', '/jobs/1.5', '/jobs/0', '/jobs/0x1', '/jobs/01', '/jobs/1e0', '/jobs/%201', '/builds/1e400', `/prebuilds/${'1'.repeat(16)}`]) expect((await get(path)).body.detail).toMatch(/^in the address: id/)
    const sent = (type: string, body: string) => supertest(rig.url).post('/api/v1/plan').set('Content-Type', type).send(body)
    expect((await sent('application/json', '{"files":')).body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('no JSON') })
    // What a page of another site can send without asking first.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) expect((await sent(type, JSON.stringify(lock))).body.code).toBe('bad-request')
  })

  test('that is too large is refused, told of or not', async () => {
    const half = 'x'.repeat(10_500_000)
    const big = { files: [{ name: 'a.txt', text: half }, { name: 'b.txt', text: half }] }
    expect((await post('/plan', big)).body).toMatchObject({ code: 'too-large', status: 413 })
    const { request, response } = begin({ 'content-type': 'application/json' })
    request.on('error', () => {})
    for (let n = 0; n < 21; n++) request.write(Buffer.alloc(1_000_000, ' '))
    const answer = await response
    expect([answer.statusCode, JSON.parse(await text(answer)).code]).toEqual([413, 'too-large'])
    request.destroy()
  })

  test('whose announced body is too large is answered when all of it was sent, as browsers need it', async () => {
    const { request, response } = begin({ 'content-type': 'application/json', 'content-length': '21000000' })
    let answered = false
    void response.then(() => { answered = true })
    for (let n = 0; n < 20; n++) await new Promise<void>((resolve, reject) => request.write(Buffer.alloc(1_000_000, ' '), (error) => error ? reject(error) : resolve()))
    expect(answered).toBe(false)
    request.end(Buffer.alloc(1_000_000, ' '))
    const answer = await response
    expect([answer.statusCode, JSON.parse(await text(answer)).code]).toEqual([413, 'too-large'])
    const huge = begin({ 'content-type': 'application/json', 'content-length': '99000000' })
    huge.request.on('error', () => {})
    huge.request.flushHeaders()
    expect((await huge.response).statusCode, 'but not of what is far too large').toBe(413)
    huge.request.destroy()
  })

  test('to no address of the API, or by another method, is refused in JSON', async () => {
    expect(JSON.parse((await rig.get('/api/v1/nothing')).body.toString())).toMatchObject({ code: 'not-found' })
    expect((await supertest(rig.url).delete('/api/v1/jobs'))).toMatchObject({ status: 405, headers: { allow: expect.stringContaining('POST') } })
  })

  test('of a browser is answered in JSON where it asks for that', async () => {
    const refused = await get('/jobs/99', { headers: { 'user-agent': AGENTS.browser, 'accept': '*/*' } })
    expect(refused.headers['content-type']).toBe('application/problem+json')
  })
})

test('whoever asks whether to send its body is told to', async () => {
  const body = JSON.stringify(lock)
  const { request, response } = begin({ 'content-type': 'application/json', 'content-length': String(body.length), 'expect': '100-continue' })
  request.flushHeaders()
  await once(request, 'continue')
  request.end(body)
  expect((await response).statusCode).toBe(200)
  const refused = begin({ 'content-length': '20000001', 'expect': '100-continue' })
  refused.request.on('continue', () => { throw new Error('it was told to send what is too large') })
  refused.request.flushHeaders()
  expect((await refused.response).statusCode).toBe(413)
  refused.request.destroy()
})

test('a client that leaves while it sends is no fault to be told of', async () => {
  const said: { level: number; msg: string }[] = []
  const left = Promise.withResolvers<void>()
  await rig.restart({ log: pino({ level: 'debug' }, { write: (line) => { said.push(JSON.parse(line)); if (said.at(-1)!.msg === 'request') left.resolve() } }) })
  const { hostname, port } = new URL(rig.url)
  const socket = connect(Number(port), hostname)
  socket.write(`POST /api/v1/plan HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"files"`)
  rig.server.once('request', () => setImmediate(() => socket.end()))
  await left.promise
  await new Promise(setImmediate)
  expect(said.filter(({ level }) => level > 30)).toEqual([])
  socket.destroy()
})

test('people are sent to the pages, programs keep what they had', async () => {
  const browser = { 'user-agent': AGENTS.browser, 'accept': 'text/html,application/xhtml+xml,*/*;q=0.8' }
  await order()
  const run = await rig.claim()
  await rig.fail(run, { class: 'build-failed', key: 'code 1' })
  expect(await rig.get('/', browser)).toMatchObject({ status: 303, headers: { location: 'ui/', 'cache-control': 'no-store', 'vary': 'Accept, User-Agent' } })
  expect(await rig.get(`/b/${run.build}`, browser)).toMatchObject({ status: 303, headers: { location: `../ui/builds/${run.build}` } })
  expect((await rig.get('/b/99', browser)).status).toBe(404)
  for (const headers of [{ 'user-agent': 'curl/8.5.0', 'accept': '*/*' }, { 'user-agent': AGENTS.pip, 'accept': JSON_V1 }, { 'user-agent': AGENTS.browser, 'accept': '*/*' }]) {
    expect(await rig.get('/', headers)).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } })
    expect((await rig.get(`/b/${run.build}`, headers)).status).toBe(200)
  }
})

// Streams are read in streams.test.ts, plans made at once in test/http/plan-for.test.ts, upstreams that never answer waited for in test/upstream/, and a builder that goes between plan and order is in test/services/.
describe('what is built anew', () => {
  const OLD = 'cp312-musllinux_1_2_x86_64'
  const system = (version: string) => ({ repositories: ['apk/v3.19/main'], arch: 'x86_64', bundled: [{ apk: 'zlib', version, library: 'libz.so.1' }, { apk: 'xz-libs', version: '5.4-r0', library: 'liblzma.so.5' }], runtime: [] })
  const entry = (name: string, version: string) => ({ name, version })

  /** A wheel of demo 1.0 for the target, as built from its sdist. */
  async function built(number: number, target = TARGET, libraries: ReturnType<typeof system> | null = system('1.3.1-r1')): Promise<string> {
    const sdist = { filename: 'demo-1.0.tar.gz', sha256: sha256('an sdist') }
    const wish = { project: 'demo', version: '1.0', sdist, target, recipe: '', image: 'image-1', askedBy: 'x' } as const
    const kind = number === 1 ? 'build' : 'rebuild'
    if (kind === 'build') await rig.store.jobs.wish({ ...wish, kind, priority: 40 }, rig.clock.now())
    const job = await rig.store.jobs.claim('w', { kinds: [kind], targets: { [target]: 'image-1' } }, rig.clock.now(), rig.clock.now() + 1000)
    const filename = `demo-1.0-${number}-${target.slice(0, 5)}-${target}.whl`
    await rig.store.wheels.publish({
      sha256: sha256(filename), filename, size: 1, project: 'demo', version: '1.0', target, sdist: sdist.sha256, number, metadata: 'e'.repeat(64), requiresPython: undefined,
      publishedAt: rig.clock.now(), build: job!.build, ...libraries && { system: libraries },
    }, { id: job!.id, worker: 'w', metadataChanged: false }, {}, rig.clock.now())
    return filename
  }

  test('wheels with older libraries are listed, rebuilt, and listed no more', async () => {
    let zlib = '1.3.1-r1'
    await rig.restart({ branches: branchesOf(() => [entry('zlib', '1.3.1-r0'), entry('zlib', zlib), entry('xz-libs', '5.2-r9')]) })
    const filename = await built(1)
    expect((await get('/outdated', { token: '' })).body).toEqual({ outdated: [], unreachable: [] })
    zlib = '1.3.1-r10'
    const line = { project: 'demo', version: '1.0', target: TARGET, filename, library: 'libz.so.1', apk: 'zlib', has: '1.3.1-r1', newest: '1.3.1-r10', job: null, state: null }
    expect((await get('/outdated')).body.outdated).toEqual([line])
    expect((await post('/outdated/rebuild', { filenames: ['other.whl'] })).body).toEqual({ jobs: [], left: [{ filename: 'other.whl', why: expect.stringContaining('no outdated wheel, or not any more') }] })
    const made = await post('/outdated/rebuild', { filenames: [filename] })
    expect(made).toMatchObject({ status: 201, body: { left: [], jobs: [{ kind: 'rebuild', priority: 'rebuild', project: 'demo', version: '1.0', target: TARGET, state: 'queued', askedBy: 'admin' }] } })
    const { id } = made.body.jobs[0]
    expect((await get('/outdated')).body.outdated).toEqual([{ ...line, job: id, state: 'queued' }])
    expect((await post('/outdated/rebuild', {})).body.jobs, 'the same').toMatchObject([{ id }])
    await built(2, TARGET, null)
    expect((await get('/outdated')).body.outdated, 'the later one bundles nothing at all').toEqual([])
    const page = JSON.parse((await rig.get('/simple/demo/', { accept: JSON_V1 })).body.toString()) as { files: { filename: string; yanked: unknown }[] }
    expect(page.files.filter(({ filename: name }) => name.includes('musllinux')).map(({ yanked }) => yanked)).toEqual([false, 'superseded by build 2'])
    for (const agent of ['pip/26.3 {}', 'poetry/2.5.1 CPython/3.13.1 Linux/6.1', 'pdm/2.29.3']) {
      const theirs = JSON.parse((await rig.get('/simple/demo/', { 'accept': JSON_V1, 'user-agent': agent })).body.toString()) as { files: { yanked: unknown }[] }
      expect(theirs.files.filter(({ yanked }) => yanked), agent).toEqual([])
    }
  })

  test('a wheel that the upstream has now is nobody\'s any more', async () => {
    await rig.restart({ branches: branchesOf(() => [entry('zlib', '2-r0')]) })
    await built(1)
    await rig.get('/simple/demo/', { accept: JSON_V1 })
    expect((await get('/outdated')).body.outdated).toHaveLength(1)
    rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }, { filename: 'demo-1.0-cp313-cp313-musllinux_1_1_x86_64.whl', bytes: Buffer.from('theirs') }])
    await rig.clock.advance(61_000)
    await rig.get('/simple/demo/', { accept: JSON_V1 })
    expect((await get('/outdated')).body.outdated).toEqual([])
  })

  test('a branch that cannot be asked is told, and so is what cannot be rebuilt', async () => {
    const branches = branchesOf((path) => {
      if (path === 'apk/v3.19/main') return [entry('zlib', '2-r0')]
      throw new MuslinError('upstream-unreachable', 'nobody answers; look at the network')
    })
    await rig.restart({ branches })
    await built(1, OLD)
    await built(1, TARGET, { ...system('1'), repositories: ['apk/v3.21/main'] })
    const { body } = await get('/outdated')
    expect(body.unreachable).toEqual([{ repository: 'apk/v3.21/main', arch: 'x86_64', why: 'nobody answers; look at the network', since: null }])
    expect(body.outdated).toMatchObject([{ target: OLD }])
    expect((await post('/outdated/rebuild', {})).body).toEqual({ jobs: [], left: [{ filename: body.outdated[0].filename, why: `no builder is ready for ${OLD}` }] })
    await rig.store.workers.beat('old', { [OLD]: 'image-1' }, rig.clock.now())
    await rig.store.recipes.add({ project: 'demo', origin: 'site', versions: undefined, targets: undefined, recipe: { skip: 'no longer' }, note: undefined, evidence: undefined, createdBy: 'admin', createdAt: 1 })
    expect((await post('/outdated/rebuild', {})).body.left).toMatchObject([{ why: 'a recipe says that it is not built here: no longer' }])
  })

  test('what one target uses is planned and queued for another, the most wanted first', async () => {
    expect((await post('/rebuilds/plan', { target: TARGET, like: OLD })).body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('nothing was built') })
    expect((await post('/rebuilds', { target: TARGET, like: TARGET })).body.code).toBe('bad-request')
    for (const path of ['/rebuilds', '/rebuilds/plan']) {
      expect((await post(path, { target: TARGET, like: 'old' })).body.code).toBe('unknown-target')
      await built(1, OLD).catch(() => undefined)
      expect((await post(path, { target: 'cp399-musllinux_1_2_x86_64', like: OLD })).body.code).toBe('unknown-target')
    }
    for (const name of ['wanted', 'pure', 'gone']) {
      rig.upstream.project(name, name === 'gone' ? [] : [{ filename: `${name}-2.0.tar.gz`, bytes: Buffer.from(name) }, ...name === 'pure' ? [{ filename: 'pure-2.0-py3-none-any.whl', bytes: Buffer.from('p') }] : []])
    }
    const sent = (filename: string) => ({ sha256: 'c'.repeat(64), filename, client: 'c', at: 1, target: OLD })
    await rig.store.downloads.add([...Array.from({ length: 3 }, () => sent('wanted-2.0-cp312-cp312-musllinux_1_2_x86_64.whl')), sent('pure-2.0-py3-none-any.whl'), sent('gone-1.0-py3-none-any.whl')])
    const plan = await post('/rebuilds/plan', { target: TARGET, like: OLD })
    expect(plan.body.lines.map(({ project, verdict }: { project: string; verdict: string }) => [project, verdict])).toEqual([
      ['wanted', 'would-build'], ['gone', 'cannot'], ['pure', 'upstream-wheel'], ['demo', 'would-build'],
    ])
    expect((await get('/jobs')).body.jobs.filter(({ target }: { target: string }) => target === TARGET)).toEqual([])
    const made = await post('/rebuilds', { target: TARGET, like: OLD })
    expect(made).toMatchObject({ status: 201, body: { name: `what ${OLD} uses`, total: 2, finished: false, askedBy: 'admin' } })
    const jobs = await rig.store.jobs.list({ state: 'queued', order: 'next' })
    expect(jobs.map(({ project, priority, kind }) => [project, priority, kind])).toEqual([['wanted', 0, 'build'], ['demo', 0, 'build']])
    expect((await get('/prebuilds')).body.prebuilds).toHaveLength(1)
    await rig.clock.advance(61_000)
    expect((await post('/rebuilds', { target: TARGET, like: OLD })).body, 'no builder').toMatchObject({ total: 0, finished: true })
  })
})

test('gc removes upstream files beyond cacheSize, by a server that goes on serving', async () => {
  await rig.restart({ cacheSize: 1 })
  await rig.get('/simple/demo/')
  const path = `/files/${sha256('a wheel')}/demo-0.9-py3-none-any.whl`
  expect((await rig.get(path)).status).toBe(200)
  expect((await post('/gc', { dryRun: true })).body).toEqual({ dryRun: true, unused: { files: 0, bytes: 0 }, cache: { files: 1, bytes: 7 }, drafts: 0, logs: 0 })
  expect((await post('/gc', {})).body).toMatchObject({ dryRun: false, cache: { files: 1, bytes: 7 } })
  expect(await rig.blobs.stat(sha256('a wheel'))).toBeUndefined()
  expect((await rig.get(path)).body.toString()).toBe('a wheel')
  expect((await post('/gc', {}, { token: '' })).status).toBe(401)
})

test('a project is refreshed by hand, past every cache on the way, and what changed is told', async () => {
  const sdist = { filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }
  const newest = { filename: 'demo-1.1.tar.gz', bytes: Buffer.from('a newer sdist') }
  expect((await post('/projects/Demo/refresh')).body).toEqual({ project: 'demo', known: true, files: 2, added: ['demo-1.0.tar.gz', 'demo-0.9-py3-none-any.whl'], gone: [], changed: [] })
  expect(rig.upstream.headers.at(-1)).toMatchObject({ 'cache-control': 'no-cache', 'pragma': 'no-cache' })
  rig.upstream.project('demo', [{ ...sdist, keys: { yanked: 'broken' } }, newest])
  // It is fresh for a minute, and refreshed all the same; nothing keeps the upstream from sending the whole page.
  expect((await post('/projects/demo/refresh')).body).toEqual({ project: 'demo', known: true, files: 2, added: ['demo-1.1.tar.gz'], gone: ['demo-0.9-py3-none-any.whl'], changed: ['demo-1.0.tar.gz'] })
  expect(rig.upstream.headers.at(-1)).not.toHaveProperty('if-none-match')
  expect(JSON.parse((await rig.get('/simple/demo/', { accept: JSON_V1 })).body.toString()).files).toMatchObject([{ yanked: 'broken' }, { filename: 'demo-1.1.tar.gz' }])
  expect((await post('/projects/demo/refresh')).body).toMatchObject({ added: [], gone: [], changed: [] })
  rig.upstream.remove('demo')
  expect((await post('/projects/demo/refresh')).body).toMatchObject({ known: false, files: 0, gone: ['demo-1.0.tar.gz', 'demo-1.1.tar.gz'] })
  expect((await post('/projects/..x/refresh')).body.code).toBe('bad-name')
  expect((await post('/projects/demo/refresh', undefined, { token: '' })).body.code).toBe('token-needed')
  rig.upstream.break(503)
  expect((await post('/projects/demo/refresh')).body.code).toBe('upstream-refused')
  rig.upstream.break(200)
  expect((await post('/projects/demo/refresh')).body.code).toBe('upstream-bad-answer')
  await rig.upstream.leave()
  expect((await post('/projects/demo/refresh')).body.code).toBe('upstream-unreachable')
  await rig.restart({ offline: true })
  expect((await post('/projects/demo/refresh')).body.code).toBe('offline')
  expect((await post('/jobs', { project: 'never-seen' })).body.code).toBe('offline')
  expect((await get('/stats')).body).toMatchObject({ offline: true })
})

afterAll(() => {
  const elsewhere = ['get /waiting 200', 'get /events 200', 'get /events too-many-streams', 'get /builds/{id}/log too-many-streams', 'post /plan busy', 'post /jobs upstream-timeout', 'post /prebuilds no-builder', 'post /rebuilds no-builder', 'post /projects/{project}/refresh upstream-timeout']
  expect(declared().filter((name) => !seen.has(name) && !elsewhere.includes(name))).toEqual([])
})
