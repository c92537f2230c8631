import { afterEach, beforeEach, expect, test } from 'vitest'
import { ADMIN_TOKEN, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { textOf, visitor, type Visitor } from './visitor.ts'

let rig: Rig
let person: Visitor

beforeEach(async () => {
  rig = await makeRig({ ui: true })
  person = visitor(rig)
})
afterEach(() => rig.close())

test('the token logs in, and leads to where the visitor was', async () => {
  const form = await person.get('/ui/login?next=%2Fui%2Fjobs%3Fstate%3Dfailed')
  expect(form.text).toContain('<input type="hidden" name="next" value="/ui/jobs?state=failed">')
  expect(textOf(form.text)).toMatch(/admin-token of the data folder that --data names\. In Docker: docker exec CONTAINER cat \/data\/admin-token/)
  const { status, headers } = await person.post('/ui/login', { token: ` ${ADMIN_TOKEN}\n`, next: '/ui/jobs?state=failed' })
  expect([status, headers.get('location')]).toEqual([303, '../ui/jobs?state=failed'])
  expect(headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/)
  expect((await person.get('/ui/')).text).toContain('Log out')
})

test('a wrong token is told, and logs nobody in', async () => {
  for (const token of ['wrong', '']) {
    const { status, headers, text } = await person.post('/ui/login', { token, next: '/ui/jobs' })
    expect([status, headers.get('set-cookie')]).toEqual([401, null])
    expect(textOf(text)).toContain('This is not the admin’s token of this server.')
    expect(text).toContain('name="next" value="/ui/jobs"')
    expect(text).not.toContain('value="wrong"')
  }
  expect((await person.get('/ui/')).text).toContain('Log in')
})

test.each([
  'https://evil.example/ui/', '//evil.example/ui/', '/\\evil.example/ui/', '/files/x', '/ui/../simple/', 'javascript:alert(1)', '/ui', '', '/ui/%2e%2e/simple/', 'http:evil.example',
])('no link leads out by next: %s', async (next) => {
  const { headers } = await person.post('/ui/login', { token: ADMIN_TOKEN, next })
  expect(headers.get('location')).toBe('../ui/')
})

test('logging out ends the session, and only by its own form', async () => {
  const csrf = await person.login()
  expect((await person.post('/ui/logout', {})).status).toBe(403)
  expect((await person.get('/ui/')).text).toContain('Log out')
  expect((await person.post('/ui/logout', { csrf })).headers.get('location')).toBe('../ui/')
  expect((await person.get('/ui/')).text).toContain('Log in')
})

test('a button that is pressed by nobody known is answered with the way to log in', async () => {
  const { status, text } = await person.post('/ui/jobs/1/retry', { csrf: 'x' })
  expect(status).toBe(401)
  expect(text).toMatch(/<a class="button" href="[./]*ui\/login\?next=/)
})

test('lines to copy have the address by which the visitor came', async () => {
  const { text } = await person.get('/ui/use')
  const { host, hostname } = new URL(rig.url)
  expect(textOf(text)).toContain(`pip install -i http://${host}/simple/ --trusted-host ${hostname} PROJECT`)
  expect(textOf(text)).toContain('docker build $(./muslin docker-args) .')
  expect(text).not.toContain('strange-name')
  for (const view of ['simple/', 'finished/simple/', `target/${TARGET}/simple/`, 'before/2026-11-21/simple/']) expect(text).toContain(`href="../${view}"`)
})

test.each([['wheels.corp.example:8080', 'This server does not know the name wheels.corp.example.', '--allowed-hosts wheels.corp.example'], ['a b', 'The request names no host', '--allowed-hosts NAME']])(
  'under a strange name the page says what helps, and invents no address: %s', async (host, told, remedy) => {
    const { body } = await rig.get('/ui/use', { host })
    const page = String(body)
    expect(textOf(page)).toContain(told)
    expect(textOf(page)).toContain(remedy)
    expect(textOf(page)).toContain('--public-url')
    expect(page).not.toContain('<pre')
    expect(page).not.toContain('http://')
    expect(page).toContain('href="../simple/"')
  })

test('no page has a line to copy with an address that nobody knows', async () => {
  const { body } = await rig.get('/ui/', { host: 'wheels.corp.example:8080' })
  expect(String(body)).toContain('id="first-steps"')
  expect(String(body)).not.toContain('pip install -i')
})

test('lines for containers say what they need where only this machine reaches the server', async () => {
  const told = async () => [...textOf((await person.get('/ui/use')).text).matchAll(/No container reaches this server yet\. .*?--host 0\.0\.0\.0/g)].length
  expect(await told()).toBe(0)
  await rig.restart({ ui: true, reachable: false })
  expect(await told()).toBe(2)
})

test('behind a public URL the lines have that one', async () => {
  await rig.restart({ ui: true, publicUrl: 'https://tools.example/muslin' })
  const { body } = await rig.get('/muslin/ui/use', { 'host': 'tools.example', 'x-forwarded-proto': 'https' })
  expect(textOf(String(body))).toContain('pip install -i https://tools.example/muslin/simple/ PROJECT')
})

test('targets say whether they can be built for, and by what', async () => {
  const before = await person.get('/ui/targets')
  expect(textOf(before.text)).toMatch(/No worker runs\..*not ready none at hand/)
  await rig.ready(`sha256:${'a'.repeat(64)}`)
  expect(textOf((await person.get('/ui/targets')).text)).toMatch(new RegExp(`${TARGET} CPython 3\\.13 x86_64 ready ${'a'.repeat(12)} `))
})

test('every page is guarded alike and kept by nobody', async () => {
  for (const path of ['/ui/prebuild', '/ui/use', '/ui/targets', '/ui/login', '/ui/projects/nothing']) {
    const { headers } = await person.get(path)
    expect(headers.get('content-security-policy'), path).toMatch(/^default-src 'none'; .*script-src 'self'/)
    expect(headers.get('cache-control'), path).toBe('no-store')
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
  }
})
