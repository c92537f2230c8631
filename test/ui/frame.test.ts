import request from 'supertest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MuslinError } from '../../src/errors.ts'
import { errorBody } from '../../src/ui/pages/error.ts'
import { textOf } from '../../src/ui/html.ts'
import { AGENTS, makeRig, type Rig } from '../http/rig.ts'
import { HOSTILE, login, pageOf, seen } from './pages.ts'

let rig: Rig

beforeEach(async () => { rig = await makeRig({ ui: true }) })
afterEach(() => rig.close())

test('every file that a page names is there, and is kept for ever', async () => {
  for (const [path, root] of [['/ui/', '/'], ['/ui/jobs', '/'], ['/ui/nowhere/at/all', '/']] as const) {
    const page = await pageOf(rig, path, { status: path.includes('nowhere') ? 404 : 200 })
    const files = [...page.matchAll(/(?:src|href)="((?:\.\.\/)*ui\/assets\/[^"]+)"/g)].map(([, url]) => new URL(url ?? '', `http://x${path}`).pathname)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      expect(file.startsWith(`${root}ui/assets/`)).toBe(true)
      const answer = await request(rig.server).get(file)
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    }
  }
})

test('scripts import only what is there, and no file is given under a stranger\'s name', async () => {
  const live = /"((?:\.\.\/)*ui\/assets\/[^"]+live\.js)"/.exec(await pageOf(rig, '/ui/'))?.[1]?.replace('../', '/') ?? ''
  const { text } = await request(rig.server).get(live).buffer().parse((res, done) => { let all = ''; res.on('data', (chunk) => { all += String(chunk) }); res.on('end', () => done(null, all)) }).then((answer) => ({ text: String(answer.body) }))
  const imports = [...text.matchAll(/from '\.\/([a-z]+\.js)'/g)].map(([, name]) => name)
  expect(imports).toEqual(['morph.js', 'words.js'])
  for (const name of imports) expect((await request(rig.server).get(live.replace('live.js', name ?? ''))).status).toBe(200)
  expect((await request(rig.server).get(live.replace('live.js', '..%2fui.ts'))).status).toBe(404)
  const old = await request(rig.server).get(live.replace(/[0-9a-f]{16}/, '0'.repeat(16)))
  expect([old.status, old.headers['cache-control']]).toEqual([200, 'no-store'])
})

test('pages cannot be framed, and tell other sites nothing', async () => {
  const { headers } = await request(rig.server).get('/ui/').set('User-Agent', AGENTS.browser)
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' })
  expect(headers['content-security-policy']).toBe("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
})

test('below a path of a proxy every link still leads here', async () => {
  await rig.restart({ ui: true, publicUrl: 'http://muslin.example/tools/muslin' })
  const page = await pageOf(rig, '/tools/muslin/ui/jobs')
  const links = [...page.matchAll(/(?:href|src|action)="([^"#]+)"/g)].map(([, url]) => new URL(url ?? '', 'http://x/tools/muslin/ui/jobs').pathname)
  expect(links.filter((path) => !path.startsWith('/tools/muslin/ui/'))).toEqual([])
})

test('who is logged in can log out on every page', async () => {
  const { cookie, csrf } = await login(rig)
  expect(csrf).not.toBe('')
  expect(await pageOf(rig, '/ui/jobs', { cookie })).toContain(`action="../ui/logout"><input type="hidden" name="csrf" value="${csrf}">`)
  expect(await pageOf(rig, '/ui/jobs?state=failed')).toContain('href="../ui/login?next=%2Fui%2Fjobs%3Fstate%3Dfailed"')
})

test('an error is a page with its cause and its remedy', async () => {
  const page = await pageOf(rig, '/simple/no-such-project-here/', { status: 404 })
  expect(seen(page)).toContain('Error 404')
  expect(page).toMatch(/id="cause"[^]+id="remedy"/)
})

test('the text and the link of an error are written where they belong', () => {
  const frame = { root: '../../', path: '/x', auth: undefined, version: '1' }
  const body = textOf(errorBody(new MuslinError('build-failed', HOSTILE, { link: '/b/42' }), frame).body)
  expect(body).toContain('href="../../b/42"')
  expect(body).not.toContain('<script>')
})
