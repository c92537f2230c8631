import { request as sendRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type Router from '@koa/router'
import supertest from 'supertest'
import type { Auth } from '../../src/services/sessions.ts'
import { ADMIN_TOKEN, AGENTS, makeRig, type Options, type Rig } from './rig.ts'

/** What a page would do with `ctx.state.auth`, told as JSON. */
function pages(router: Router): void {
  const seen = (auth: Auth) => ({ session: auth.session?.csrf, admin: auth.admin })
  router.get('/ui/seen', (ctx) => { ctx.body = seen(ctx.state['auth'] as Auth) })
  router.post('/ui/seen', (ctx) => { ctx.body = seen(ctx.state['auth'] as Auth) })
  router.post('/ui/form/:csrf', (ctx) => {
    const auth = ctx.state['auth'] as Auth
    ctx.body = { ok: auth.csrfOk(String(ctx.params['csrf'])), ...seen(auth) }
  })
  router.post('/ui/login/:token', async (ctx) => {
    const auth = ctx.state['auth'] as Auth
    ctx.body = { ok: await auth.login(String(ctx.params['token'])), ...seen(auth) }
  })
  router.post('/ui/logout', async (ctx) => {
    const auth = ctx.state['auth'] as Auth
    await auth.logout()
    ctx.body = seen(auth)
  })
}

let rig: Rig
const start = async (options: Options = {}): Promise<void> => { rig = await makeRig({ mount: pages, ...options }) }
beforeEach(() => start())
afterEach(() => rig.close())

const cookieOf = (answer: supertest.Response): string => String(answer.headers['set-cookie']?.[0])
const post = (path: string, headers: Record<string, string> = {}) => supertest(rig.url).post(path).set(headers)
const get = (path: string, headers: Record<string, string> = {}) => supertest(rig.url).get(path).set(headers)

async function login(headers: Record<string, string> = {}): Promise<{ cookie: string; csrf: string }> {
  const answer = await post(`/ui/login/${ADMIN_TOKEN}`, headers)
  expect(answer.body.ok).toBe(true)
  return { cookie: cookieOf(answer).split(';')[0]!, csrf: answer.body.session }
}

describe('a session', () => {
  test('is opened by the token alone, lasts 30 days, and is kept by a cookie that scripts cannot read', async () => {
    expect((await post('/ui/login/wrong')).body).toEqual({ ok: false, admin: false })
    const answer = await post(`/ui/login/${ADMIN_TOKEN}`)
    expect(cookieOf(answer)).toMatch(/^muslin_session_this-one=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/)
    const { cookie, csrf } = await login()
    expect((await get('/ui/seen', { cookie })).body).toEqual({ session: csrf, admin: true })
    await rig.restart({ mount: pages })
    expect((await get('/ui/seen', { cookie })).body).toMatchObject({ admin: true })
    await rig.clock.advance(30 * 24 * 3_600_000 + 1)
    expect((await get('/ui/seen', { cookie })).body).toEqual({ admin: false })
  })

  test('ends by logging out, for every holder of its cookie', async () => {
    const { cookie } = await login()
    const out = await post('/ui/logout', { cookie })
    expect(out.body).toEqual({ admin: false })
    expect(cookieOf(out)).toMatch(/^muslin_session_this-one=; Path=\/; Max-Age=0; HttpOnly/)
    expect((await get('/ui/seen', { cookie })).body).toEqual({ admin: false })
  })

  test('is not that of a made-up cookie', async () => {
    for (const cookie of ['muslin_session_this-one=', 'muslin_session_this-one=x', `muslin_session_this-one=${'a'.repeat(5000)}`, 'muslin_session_this-one="; --']) {
      expect((await get('/ui/seen', { cookie })).body).toEqual({ admin: false })
    }
  })

  test('changes things only with the CSRF token of its pages, as a header or out of a form', async () => {
    const { cookie, csrf } = await login()
    const another = await login()
    expect((await post('/ui/seen', { cookie })).body.admin).toBe(false)
    expect((await post('/ui/seen', { cookie, 'x-csrf-token': another.csrf })).body.admin).toBe(false)
    expect((await post('/ui/seen', { cookie, 'x-csrf-token': csrf })).body.admin).toBe(true)
    expect((await post(`/ui/form/${csrf}`, { cookie })).body).toEqual({ ok: true, session: csrf, admin: true })
    expect((await post(`/ui/form/${another.csrf}`, { cookie })).body).toMatchObject({ ok: false, admin: false })
    expect((await post(`/ui/form/${csrf}`)).body).toMatchObject({ ok: false, admin: false })
    const refused = await post('/api/v1/jobs', { cookie }).send({ project: 'demo' })
    expect(refused).toMatchObject({ status: 403, body: { code: 'forged-request' } })
    expect((await post('/api/v1/jobs', { cookie, 'x-csrf-token': csrf }).send({ project: 'demo' })).body.code).toBe('no-builder')
  })

  test('does nothing for a page of another site, even one that knows the CSRF token', async () => {
    const { cookie, csrf } = await login()
    const host = new URL(rig.url).host
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'http://evil.example' }, { origin: 'null' }, { referer: 'http://evil.example/x' },
      { origin: 'http://localhost:1' }, { 'sec-fetch-site': 'cross-site', 'origin': `http://${host}` },
    ]
    for (const headers of foreign) {
      const basic = `Basic ${Buffer.from(`token:${ADMIN_TOKEN}`).toString('base64')}`
      const asked: [string, Record<string, string>][] = [
        [`/ui/form/${csrf}`, { cookie }], ['/ui/seen', { cookie, 'x-csrf-token': csrf }], ['/ui/seen', { authorization: basic }],
        [`/ui/login/${ADMIN_TOKEN}`, {}], ['/api/v1/plan', {}], ['/ui/prebuild', {}],
      ]
      for (const [path, more] of asked) {
        expect(await post(path, { ...more, ...headers }), `${path} ${JSON.stringify(headers)}`).toMatchObject({ status: 403, body: { code: 'forged-request' } })
      }
    }
    for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: `http://${host}` }, { referer: `http://${host}/ui/` }]) {
      expect((await post(`/ui/form/${csrf}`, { cookie, ...headers })).body.ok).toBe(true)
    }
  })
})

test('a bearer token needs no session, and is none', async () => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  expect((await post('/ui/seen', headers)).body).toEqual({ admin: true })
  expect((await post('/ui/seen', { authorization: `Basic ${Buffer.from(`token:${ADMIN_TOKEN}`).toString('base64')}` })).body.admin).toBe(true)
  expect((await post('/ui/seen', { authorization: 'Bearer wrong' })).body.admin).toBe(false)
})

test('ten wrong tokens within a minute are the last of an address, right ones and others\' do not count', async () => {
  await rig.restart({ mount: pages, trustedProxies: ['127.0.0.1'] })
  for (let n = 0; n < 20; n++) await login({ 'x-forwarded-for': '10.0.0.1' })
  for (let n = 0; n < 10; n++) expect((await post('/ui/login/wrong', { 'x-forwarded-for': '10.0.0.1' })).status).toBe(200)
  const refused = await post('/ui/login/wrong', { 'x-forwarded-for': '10.0.0.1' })
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-logins', detail: expect.stringContaining('10.0.0.1') } })
  await login({ 'x-forwarded-for': '10.0.0.1' })
  expect((await post('/ui/login/wrong', { 'x-forwarded-for': '10.0.0.2' })).status).toBe(200)
  await rig.clock.advance(60_001)
  expect((await post('/ui/login/wrong', { 'x-forwarded-for': '10.0.0.1' })).status).toBe(200)
})

test('under a publicUrl with https the cookie is for https, and for its path alone', async () => {
  await rig.restart({ mount: pages, publicUrl: 'https://wheels.example/muslin/' })
  const answer = await post(`/ui/login/${ADMIN_TOKEN}`, { host: 'wheels.example', origin: 'https://wheels.example' })
  expect(cookieOf(answer)).toMatch(/; Path=\/muslin; .*; Secure$/)
  // A proxy that gives its own name for the host: the browser's page is ours all the same.
  const { cookie, csrf } = await login({ host: 'muslin.internal', origin: 'https://wheels.example' })
  expect((await post(`/ui/form/${csrf}`, { cookie, host: 'muslin.internal', origin: 'https://wheels.example' })).body.ok).toBe(true)
  expect(cookieOf(await post(`/ui/login/${ADMIN_TOKEN}`, { host: 'muslin.internal', origin: 'https://wheels.example' }))).toMatch(/; Path=\/muslin; .*; Secure$/)
  // By another of its own names there is neither that path nor that TLS.
  expect(cookieOf(await post(`/ui/login/${ADMIN_TOKEN}`))).toMatch(/; Path=\/; .*; SameSite=Lax$/)
})

test('under a host name that is none of the server\'s nobody logs in, and the answer says what helps', async () => {
  const refused = await post(`/ui/login/${ADMIN_TOKEN}`, { host: 'wheels.corp.example' })
  expect(refused).toMatchObject({ status: 403, body: { code: 'strange-host', detail: expect.stringMatching(/wheels\.corp\.example.*allowedHosts.*publicUrl/) } })
  expect(refused.headers['set-cookie']).toBeUndefined()
})

test('another login of a browser ends its session before, and another token ends them all', async () => {
  const { cookie } = await login()
  const second = await login({ cookie })
  expect((await get('/ui/seen', { cookie })).body).toEqual({ admin: false })
  expect((await get('/ui/seen', { cookie: second.cookie })).body).toMatchObject({ admin: true })
  await rig.restart({ mount: pages, adminToken: 'another token of the admin' })
  expect((await get('/ui/seen', { cookie: second.cookie })).body).toEqual({ admin: false })
})

test('`OPTIONS *` of a browser is answered by the gate like everything else', async () => {
  await rig.restart({ ui: true })
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const sent = sendRequest(rig.url, { method: 'OPTIONS', path: '*', headers: { 'user-agent': AGENTS.browser, 'accept': 'text/html' }, agent: false }, (response) => { response.resume(); resolve(response.statusCode) })
    sent.on('error', reject)
    sent.end()
  })
  expect(answer).toBe(404)
})

test('who needs the token is asked for it as a bearer token, not for a password', async () => {
  expect((await post('/api/v1/jobs')).headers).toMatchObject({ 'www-authenticate': 'Bearer' })
})

describe('somebody who is logged in, where only installers may start builds', () => {
  const browser = { 'user-agent': AGENTS.browser, 'accept': 'text/html' }

  async function promised(): Promise<string> {
    rig.upstream.project('demo', [{ filename: 'demo-1.0.tar.gz', bytes: Buffer.from('an sdist') }])
    await rig.ready()
    const page = JSON.parse((await rig.get('/simple/demo/', { 'user-agent': AGENTS.pip, 'accept': 'application/vnd.pypi.simple.v1+json' })).body.toString())
    return new URL(page.files[1].url, 'http://h/simple/demo/').pathname
  }

  async function jobMade(): Promise<void> {
    const changed = Promise.withResolvers<void>()
    const unwatch = rig.store.jobs.watch(changed.resolve)
    if ((await rig.store.jobs.list()).length === 0) await changed.promise
    unwatch()
  }

  test('starts one by opening a promise, as the admin', async () => {
    const path = await promised()
    const { cookie } = await login()
    const { request, response } = rig.open(path, { ...browser, cookie, 'sec-fetch-site': 'none' })
    response.catch(() => {})
    await jobMade()
    expect(await rig.store.jobs.list()).toMatchObject([{ project: 'demo', askedBy: 'admin' }])
    request.destroy()
  })

  test('starts none by a link of another site, or one that tells nothing', async () => {
    const path = await promised()
    const { cookie } = await login()
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { referer: 'http://evil.example/' }, {}]) {
      expect(await get(path, { ...browser, cookie, ...headers })).toMatchObject({ status: 424 })
    }
    expect(await get(path, { ...browser, 'sec-fetch-site': 'none' })).toMatchObject({ status: 424 })
    expect(await rig.store.jobs.list()).toEqual([])
  })
})
