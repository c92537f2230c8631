import type { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import supertest from 'supertest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JSON_V1, sha256 } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, TARGET, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

const sdist = { filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('the sdist of cffi') }
const glibc = { filename: 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl', bytes: Buffer.from('a wheel of cffi'), metadata: 'Metadata-Version: 2.1\nName: cffi\nVersion: 1.17\n' }
const json = { accept: JSON_V1 }

test('a page is the upstream\'s but for its URLs', async () => {
  rig.upstream.project('cffi', [{ ...sdist, keys: { 'gpg-sig': true, 'provenance': 'https://upstream.example/p', 'x-unknown': { deep: [1] } } }, glibc], { 'versions': ['1.17'], 'project-status': { status: 'archived' }, 'x-more': 1 })
  const { status, headers, body } = await rig.get('/simple/cffi/', json)
  expect(status).toBe(200)
  expect(headers['content-type']).toBe(JSON_V1)
  expect(headers['cache-control']).toBe('private, max-age=0, must-revalidate')
  expect(headers['x-content-type-options']).toBe('nosniff')
  const page = JSON.parse(body.toString())
  expect(page).toMatchObject({ 'meta': { '_last-serial': 12 }, 'project-status': { status: 'archived' }, 'x-more': 1, 'versions': ['1.17'] })
  expect(page.files[0]).toMatchObject({ 'url': `../../files/${sha256(sdist.bytes)}/cffi-1.17.tar.gz`, 'gpg-sig': true, 'x-unknown': { deep: [1] } })
  expect(page.files[0].provenance).toBe(`${page.files[0].url}.provenance`)
  expect(page.files[1].provenance).toBeNull()
  expect(page.files).toHaveLength(2)
})

test('names are normalised and other spellings sent on, never for good', async () => {
  for (const [asked, location] of [['/simple/Foo._Bar/', '../foo-bar/'], ['/simple/foo-bar', 'foo-bar/'], ['/simple/Foo', 'foo/'], ['/simple', 'simple/'], ['/finished/simple/A.B/?format=x', '../a-b/?format=x']] as const) {
    const { status, headers } = await rig.get(asked)
    expect([asked, status, headers.location]).toEqual([asked, 307, location])
  }
  expect((await rig.get('/simple/-bad-/')).status).toBe(400)
})

test('JSON or HTML by Accept and by the format parameter', async () => {
  rig.upstream.project('cffi', [sdist])
  const type = async (path: string, accept?: string) => (await rig.get(path, accept === undefined ? {} : { accept })).headers['content-type']
  expect(await type('/simple/cffi/')).toBe('text/html; charset=utf-8')
  expect(await type('/simple/cffi/', 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01')).toBe(JSON_V1)
  expect(await type('/simple/cffi/', 'application/vnd.pypi.simple.v1+html')).toBe('application/vnd.pypi.simple.v1+html; charset=utf-8')
  expect(await type('/simple/cffi/?format=application/vnd.pypi.simple.v1%2Bjson', 'text/html')).toBe(JSON_V1)
  expect((await rig.get('/simple/cffi/', { accept: 'image/png' })).status).toBe(406)
})

test('gzip for those who take it, a strong tag for each coding, 304 for who holds it', async () => {
  rig.upstream.project('cffi', [sdist])
  const plain = await rig.get('/simple/cffi/', json)
  const packed = await rig.get('/simple/cffi/', { ...json, 'accept-encoding': 'gzip, deflate' })
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(packed.body)).toEqual(plain.body)
  expect(plain.headers.etag).toMatch(/^"[0-9a-f]{64}"$/)
  expect(packed.headers.etag).not.toBe(plain.headers.etag)
  expect(plain.headers.vary).toBe('Accept, Accept-Encoding, User-Agent')
  for (const held of [plain.headers.etag!, `W/${plain.headers.etag}`, `"other", ${plain.headers.etag}`]) {
    const answer = await rig.get('/simple/cffi/', { ...json, 'if-none-match': held })
    expect([held, answer.status, answer.body.length, answer.headers.etag]).toEqual([held, 304, 0, plain.headers.etag])
  }
  expect((await rig.get('/simple/cffi/', { ...json, 'if-none-match': '"other"' })).status).toBe(200)
})

test('HEAD says what GET would', async () => {
  rig.upstream.project('cffi', [sdist])
  const got = await rig.get('/simple/cffi/', json)
  const head = await rig.get('/simple/cffi/', json, 'HEAD')
  expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) })
  expect(head.headers['content-length']).toBe(String(got.body.length))
  expect(head.headers.etag).toBe(got.headers.etag)
})

test('one fetch for all who wait, none while the page is fresh, a conditional one afterwards', async () => {
  rig.upstream.project('cffi', [sdist])
  const fetches = () => rig.upstream.requests.filter((line) => line === 'GET /simple/cffi/').length
  await Promise.all(Array.from({ length: 10 }, () => rig.get('/simple/cffi/', json)))
  await rig.clock.advance(59_000)
  await rig.get('/simple/cffi/', json)
  expect(fetches()).toBe(1)
  await rig.clock.advance(2_000)
  rig.upstream.project('cffi', [sdist, glibc])
  expect(JSON.parse((await rig.get('/simple/cffi/', json)).body.toString()).files).toHaveLength(2)
  expect(fetches()).toBe(2)
})

test('what was seen is served while the upstream fails, after a restart too; what was never seen is not called absent', async () => {
  rig.upstream.project('cffi', [sdist])
  const before = await rig.get('/simple/cffi/', json)
  rig.upstream.break(503)
  await rig.clock.advance(3_600_000)
  await rig.restart()
  const after = await rig.get('/simple/cffi/', json)
  expect(after.status).toBe(200)
  expect(after.headers.etag).toBe(before.headers.etag)
  expect((await rig.get('/simple/never-seen/', json)).status).toBe(502)
  rig.upstream.break(undefined)
  const absent = await rig.get('/simple/never-seen/', json)
  expect(absent.status).toBe(404)
  expect(JSON.parse(absent.body.toString())).toMatchObject({ code: 'no-such-project', status: 404 })
})

test('a project that the upstream does not know is served when there is a built wheel', async () => {
  await rig.ready()
  rig.upstream.project('gone', [{ filename: 'gone-1.0.tar.gz', bytes: sdist.bytes }])
  await rig.get('/simple/gone/', json)
  await rig.store.jobs.wish({ kind: 'build', project: 'gone', version: '1.0', sdist: { sha256: sha256(sdist.bytes), filename: 'gone-1.0.tar.gz' }, target: TARGET, recipe: '', image: 'image-1', priority: 40, askedBy: 'me' }, rig.clock.now())
  await rig.publish(await rig.claim(), Buffer.from('wheel'), 'Name: gone\n')
  rig.upstream.remove('gone')
  await rig.clock.advance(61_000)
  const page = JSON.parse((await rig.get('/finished/simple/gone/', json)).body.toString())
  expect(page.files).toMatchObject([{ hashes: { sha256: sha256('wheel') }, url: `../../../files/${sha256('wheel')}/${page.files[0].filename}` }])
})

test('our own builds find a wheel of ours among what there was when its sdist was uploaded, and nobody else', async () => {
  await rig.ready()
  rig.upstream.project('cffi', [{ ...sdist, keys: { 'upload-time': '2021-02-03T04:05:06Z' } }])
  await rig.get('/simple/cffi/', json)
  await rig.store.jobs.wish({ kind: 'build', project: 'cffi', version: '1.17', sdist: { sha256: sha256(sdist.bytes), filename: sdist.filename }, target: TARGET, recipe: '', image: 'image-1', priority: 40, askedBy: 'me' }, rig.clock.now())
  await rig.publish(await rig.claim(), Buffer.from('wheel'), 'Name: cffi\n')
  const uploaded = async (path: string, agent: string) => {
    const { headers, body } = await rig.get(path, { ...json, 'user-agent': agent })
    const { files } = JSON.parse(body.toString()) as { files: { 'filename': string; 'upload-time': string }[] }
    return [files.find(({ filename }) => filename.endsWith('.whl'))?.['upload-time'], headers.vary]
  }
  const own = AGENTS.pip.replace('{', '{"user_data":"muslin-builder",')
  const today = new Date(rig.clock.now()).toISOString()
  for (let twice = 0; twice < 2; twice++) {
    expect(await uploaded('/finished/simple/cffi/', own)).toEqual(['2021-02-03T04:05:06Z', expect.stringContaining('User-Agent')])
    expect(await uploaded('/finished/simple/cffi/', AGENTS.pip)).toEqual([today, expect.stringContaining('User-Agent')])
  }
  expect((await uploaded('/simple/cffi/', own))[0]).toBe(today)
})

test('promises are for installers on a musl target, and only while a builder is ready', async () => {
  rig.upstream.project('cffi', [sdist, glibc])
  const promised = async (path: string, agent: string) => {
    const { headers, body } = await rig.get(path, { ...json, 'user-agent': agent })
    return { count: body.toString().split('/promise/').length - 1, vary: headers.vary }
  }
  expect(await promised('/simple/cffi/', AGENTS.pip)).toEqual({ count: 0, vary: expect.stringContaining('User-Agent') })
  await rig.ready()
  expect(await promised('/simple/cffi/', AGENTS.pip)).toEqual({ count: 1, vary: expect.stringContaining('User-Agent') })
  expect((await promised('/simple/cffi/', AGENTS.uv)).count).toBe(1)
  for (const agent of [AGENTS.uvLock, AGENTS.poetry, AGENTS.pipOnGlibc, AGENTS.browser]) expect((await promised('/simple/cffi/', agent)).count).toBe(0)
  expect((await promised('/finished/simple/cffi/', AGENTS.pip)).count).toBe(0)
  expect((await promised(`/target/${TARGET}/simple/cffi/`, AGENTS.poetry)).count).toBe(1)
  expect((await rig.get('/target/cp39-musllinux_1_2_x86_64/simple/cffi/', json)).status).toBe(404)
  await rig.clock.advance(61_000)
  expect((await promised('/simple/cffi/', AGENTS.pip)).count).toBe(0)
})

test('nothing is promised under a host name under which no build may be started', async () => {
  rig.upstream.project('cffi', [sdist, glibc])
  await rig.ready()
  const asked = async (path: string, host: string) => (await rig.get(path, { ...json, host, 'user-agent': AGENTS.pip }))
  for (const path of ['/simple/cffi/', `/target/${TARGET}/simple/cffi/`]) {
    const [foreign, own] = [await asked(path, 'wheels.example:8080'), await asked(path, 'muslin.internal:8080')]
    expect(JSON.parse(foreign.body.toString()).files.map(({ filename }: { filename: string }) => filename)).toEqual([sdist.filename, glibc.filename])
    expect(own.body.toString()).toContain('/promise/')
    // The host is part of the URL that a cache goes by, so it is no matter of Vary; the tag must tell the two apart all the same.
    expect(foreign.headers.vary).toBe(own.headers.vary)
    expect(foreign.headers.etag).not.toBe(own.headers.etag)
  }
})

test('the list of projects, as JSON and as HTML, kept while the upstream fails', async () => {
  rig.upstream.project('cffi', [sdist])
  rig.upstream.project('numpy', [])
  const list = await rig.get('/simple/', json)
  expect(JSON.parse(list.body.toString())).toEqual({ meta: { 'api-version': '1.4', '_last-serial': 7 }, projects: [{ name: 'cffi' }, { name: 'numpy' }] })
  rig.upstream.break(500)
  await rig.clock.advance(100_000)
  const html = await rig.get('/finished/simple/', { 'accept': 'text/html', 'accept-encoding': 'gzip' })
  expect(gunzipSync(html.body).toString()).toContain('cffi/')
  expect((await rig.get('/simple/', { ...json, 'if-none-match': list.headers.etag! })).status).toBe(304)
})

test('a list that is not sent is let go of', async () => {
  const { read } = rig.blobs
  const opened: Readable[] = []
  rig.blobs.read = async (...words) => {
    const body = await read(...words)
    opened.push(body)
    return body
  }
  const { headers } = await rig.get('/simple/', json)
  await rig.get('/simple/', { ...json, 'if-none-match': headers.etag! })
  await rig.get('/simple/', json, 'HEAD')
  expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true, true])
})

test('a list that the upstream has as HTML alone is served in both forms', async () => {
  rig.upstream.listAsHtml('<!DOCTYPE html><html><body><a href="/simple/cffi/">cffi</a><br><a href="/simple/zope-interface/">zope.interface</a></body></html>')
  expect(JSON.parse((await rig.get('/simple/', json)).body.toString())).toEqual({ meta: { 'api-version': '1.0' }, projects: [{ name: 'cffi' }, { name: 'zope.interface' }] })
  expect((await rig.get('/simple/', { accept: 'text/html' })).body.toString()).toContain('<a href="zope-interface/">zope.interface</a>')
})

test('errors are problem+json, small HTML for browsers, and name the methods that an address takes', async () => {
  const problem = await rig.get('/nowhere')
  expect(problem.headers['content-type']).toBe('application/problem+json')
  expect(problem.headers['cache-control']).toBe('no-store')
  expect(JSON.parse(problem.body.toString())).toMatchObject({ code: 'not-found', title: 'Nothing is served at this address', status: 404 })
  expect(problem.reason).toBe('Muslin: nothing is served at /nowhere; the index is at /simple/')
  const page = await rig.get('/nowhere/%3Cscript%3E', { 'user-agent': AGENTS.browser, 'accept': 'text/html' })
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.body.toString()).not.toContain('<script>')
  const posted = await supertest(rig.url).post('/simple/')
  expect(posted.status).toBe(405)
  expect(posted.headers['allow']).toBe('HEAD, GET')
  expect((await rig.get('/simple/x/', { 'muslin-via': 'another, this-one' })).status).toBe(508)
})

test('a question that came through other servers is passed on with their names, so that a longer loop is noticed too', async () => {
  rig.upstream.project('cffi', [sdist])
  for (const path of ['/simple/cffi/', '/simple/']) await rig.get(path, { ...json, 'muslin-via': 'one, no name,two' })
  expect(rig.upstream.headers.map((headers) => headers['muslin-via'])).toEqual(['one, two, this-one', 'one, two, this-one'])
  expect((await rig.get('/simple/cffi/', { ...json, 'muslin-via': Array.from({ length: 21 }, (_, i) => `n${i}`).join() })).status).toBe(508)
})

test('publicUrl\'s path is taken off, and the root tells the index', async () => {
  rig.upstream.project('cffi', [sdist])
  await rig.restart({ publicUrl: 'https://wheels.example/muslin/' })
  expect((await rig.get('/muslin/simple/cffi/', json)).status).toBe(200)
  expect((await rig.get('/simple/cffi/', json)).status).toBe(200)
  expect((await rig.get('/muslin/', { host: 'wheels.example' })).body.toString()).toContain('https://wheels.example/muslin/simple/')
})

test('pip 22.3 is not told of METADATA, which it would hold against wheels of another spelling; what reads HTML else is, by both names', async () => {
  rig.upstream.project('spelled', [{ filename: 'Spelled-1.0-py3-none-any.whl', bytes: Buffer.from('a wheel'), keys: { 'core-metadata': true } }])
  const page = async (agent: string) => (await rig.get('/simple/spelled/', { accept: 'text/html', 'user-agent': agent })).body.toString()
  for (const agent of [AGENTS.pip.replace('25.1.1', '22.3.1'), AGENTS.pip, 'curl/8']) {
    expect(await page(agent)).toContain(' data-core-metadata="true"')
    expect((await page(agent)).includes(' data-dist-info-metadata="true"')).toBe(!agent.includes('22.3'))
  }
})

test('readiness tells what is missing', async () => {
  expect((await rig.get('/healthz')).body.toString()).toBe('ok\n')
  expect(JSON.parse((await rig.get('/readyz')).body.toString())).toMatchObject({ ready: true, notes: [expect.stringContaining('no builder is ready')] })
  rig.store.close()
  const { status, body } = await rig.get('/readyz')
  expect(status).toBe(503)
  expect(JSON.parse(body.toString()).reasons[0]).toContain('database')
})

test('pip 22.3, which drops the digests of JSON, gets HTML; others get what they like most', async () => {
  rig.upstream.project('hashed', [{ filename: 'hashed-1.0-py3-none-any.whl', bytes: Buffer.from('a wheel') }])
  const accept = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01'
  const typeFor = async (agent: string) => {
    const { headers } = await rig.get('/simple/hashed/', { accept, 'user-agent': agent })
    return [String(headers['content-type']).split(';')[0], String(headers['vary']).includes('User-Agent')]
  }
  for (const version of ['22.3', '22.3.1']) expect(await typeFor(AGENTS.pip.replace('25.1.1', version))).toEqual(['application/vnd.pypi.simple.v1+html', true])
  for (const version of ['22.2.2', '23.0.1', '25.1.1', '22.30']) expect((await typeFor(AGENTS.pip.replace('25.1.1', version)))[0]).toBe('application/vnd.pypi.simple.v1+json')
})
