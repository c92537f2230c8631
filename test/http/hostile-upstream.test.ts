/** An upstream that means harm, or is broken, before a whole server over real sockets. Each claim has its counter-proof beside it: an honest answer in the same place. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { JSON_V1, sha256 } from '../synthetic-upstream.ts'
import { startServer, type TestServer } from '../upstream/index-server.ts'
import { type Answer, makeRig, type Rig } from './rig.ts'

type Respond = (request: IncomingMessage, response: ServerResponse) => void

const LIMITS = { timeouts: { connect: 1000, headers: 600, idle: 400, page: 1200 }, largestPage: 16 * 1024 ** 2, largestFile: 2 * 1024 ** 2 }
const MB = 1024 ** 2

/** What becomes more than the largest page, and what needs more memory than RFC 9659 grants although it is less than that. */
const BOMBS = {
  gzip: gzipSync(Buffer.alloc(24 * MB), { level: 1 }),
  zstd: zstdCompressSync(Buffer.alloc(24 * MB), { params: { [constants.ZSTD_c_windowLog]: 20 } }),
  window: zstdCompressSync(Buffer.concat([Buffer.from(json()), Buffer.alloc(12 * MB, ' ')]), { params: { [constants.ZSTD_c_windowLog]: 27 } }),
}

let rig: Rig
let hostile: TestServer
/** Answers by path. */
const paths = new Map<string, Respond>()
/** A name that was never asked for: what was seen before is served again, whatever comes. */
let project = ''
let count = 0

beforeAll(async () => {
  hostile = await startServer((request, response) => {
    response.on('error', () => undefined)
    const respond = paths.get(request.url ?? '')
    if (respond) respond(request, response)
    else response.writeHead(404).end()
  })
  rig = await makeRig({ upstream: { url: `${hostile.origin}/simple/`, ...LIMITS } })
})
afterAll(async () => {
  await rig.close()
  await hostile.close()
})
beforeEach(async () => {
  project = `p${++count}`
  // What a test before this one did to the upstream is over.
  await rig.clock.advance(60_000)
})

describe('pages', () => {
  test.each<[string, string, Respond]>([
    ['cut', 'upstream-unreachable', (request, response) => { response.write('{"meta"', () => request.socket.destroy()) }],
    ['shorter than their content-length', 'upstream-unreachable', (request, response) => { response.writeHead(200, { 'content-length': 100_000 }); response.write(json(), () => request.socket.destroy()) }],
    ['longer than their content-length', 'upstream-bad-answer', (request) => { raw(request, `HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n${json()}`) }],
    ['with two lengths', 'upstream-bad-answer', (request) => { raw(request, `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\n${json()}`) }],
    ['endless', 'upstream-bad-answer', (_request, response) => { pour(response, Buffer.alloc(256 * 1024, ' ')) }],
    ['endless and slow', 'upstream-timeout', (_request, response) => { drip(response) }],
    ['silent after their head', 'upstream-timeout', (_request, response) => { response.writeHead(200); response.write('{') }],
    ['without a head', 'upstream-timeout', () => undefined],
    ['no HTTP', 'upstream-bad-answer', (request) => { raw(request, 'SSH-2.0-OpenSSH_9.2\r\n') }],
    ['with huge headers', 'upstream-bad-answer', (request) => { raw(request, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}\r\n\r\n{}`) }],
    ['with endless headers', 'upstream-bad-answer', (request) => { raw(request, `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(50_000)}`) }],
    ['a gzip bomb', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMBS.gzip) }],
    ['a zstd bomb', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'zstd' }).end(BOMBS.zstd) }],
    ['zstd with a window of 12 MB', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'zstd' }).end(BOMBS.window) }],
    ['labelled as gzip, but plain', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(json()) }],
    ['gzip without a label', 'upstream-bad-answer', (_request, response) => { response.writeHead(200).end(gzipSync(json())) }],
    ['gzip that is cut', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(json()).subarray(0, 30)) }],
    ['in an encoding that nobody asked for', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(json())) }],
    ['a login', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title><form action="/login"></form></html>') }],
    ['a login that says that it is JSON', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-type': JSON_V1 }).end('<html><title>Sign in</title></html>') }],
    ['JSON of something else', 'upstream-bad-answer', (_request, response) => { response.writeHead(200, { 'content-type': JSON_V1 }).end('{"error":"no"}') }],
    ['JSON nested without end', 'upstream-bad-answer', (_request, response) => { response.end(`${json().slice(0, -1)},"x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`) }],
    ['a redirect in a circle', 'upstream-bad-answer', (request, response) => { response.writeHead(302, { location: request.url ?? '' }).end() }],
    ['a redirect without end', 'upstream-bad-answer', (_request, response) => { redirectOn(response, 0) }],
    ['a redirect to a file', 'upstream-bad-answer', (_request, response) => { response.writeHead(302, { location: 'file:///etc/passwd' }).end() }],
    ['a redirect to this machine', 'upstream-forbidden', (_request, response) => { response.writeHead(302, { location: `http://127.0.0.1:${new URL(rig.url).port}/healthz` }).end() }],
    ['a redirect to this machine by name', 'upstream-forbidden', (_request, response) => { response.writeHead(302, { location: `http://localhost:${new URL(rig.url).port}/healthz` }).end() }],
    ['a redirect to a cloud\'s metadata', 'upstream-forbidden', (_request, response) => { response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end() }],
    ['a redirect to v6 that is v4', 'upstream-forbidden', (_request, response) => { response.writeHead(302, { location: 'http://[::ffff:10.0.0.1]/' }).end() }],
    ['a redirect whose body is endless', 'upstream-bad-answer', (request, response) => { response.writeHead(302, { location: request.url ?? '' }); pour(response, Buffer.alloc(64 * 1024)) }],
    ['a 304 that nobody asked for', 'upstream-refused', (_request, response) => { response.writeHead(304).end() }],
    ['a 404 whose body never ends', 'no-such-project', (_request, response) => { response.writeHead(404); pour(response, Buffer.alloc(64 * 1024)) }],
  ])('%s: %s', async (_what, code, respond) => {
    page(respond)
    const answer = await get()
    expect(named(answer)).toBe(code)
    // Nothing of it was kept, and the project is had as soon as the upstream is honest.
    await rig.clock.advance(120_000)
    page((_request, response) => response.end(json([file('a-1.0.zip')])))
    expect(filenames(await get())).toEqual(['a-1.0.zip'])
  })

  test.each<[string, string]>([['text/html', 'json'], [JSON_V1, 'html'], ['text/plain', 'json'], ['application/octet-stream', 'html'], ['image/png', 'json']])('labelled %s, but %s: taken for what they are', async (type, kind) => {
    page((_request, response) => response.writeHead(200, { 'content-type': type }).end(kind === 'json' ? json([file('a-1.0.zip')]) : `<a href="/files/a-1.0.zip#sha256=${'0'.repeat(64)}">`))
    expect(filenames(await get())).toEqual(['a-1.0.zip'])
  })

  test('one that turns bad does not replace what was kept', async () => {
    page((_request, response) => response.end(json([file('a-1.0.zip')])))
    expect(filenames(await get())).toEqual(['a-1.0.zip'])
    for (const bad of ['<html><title>Sign in</title></html>', '{"files":[]}', '']) {
      await rig.clock.advance(600_000)
      page((_request, response) => response.end(bad))
      expect(filenames(await get())).toEqual(['a-1.0.zip'])
    }
    await rig.clock.advance(600_000)
    page((_request, response) => response.end(json([file('b-1.0.zip')])))
    await get()
    await expect.poll(async () => filenames(await get()), { timeout: 10_000 }).toEqual(['b-1.0.zip'])
  })

  test('scripts and odd bases in HTML reach nobody', async () => {
    page((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<html><head><base href="javascript:alert(1)//"><title>Links for x</title><script>alert(1)</script></head><body onload="alert(1)">
      <a href="javascript:alert(1)//a-1.0.zip">a</a><a href="a-2.0.zip" onclick="alert(1)" data-requires-python='"><script>alert(1)</script>'>a</a><img src=x onerror=alert(1)>
      <a href="/files/a-3.0.zip#sha256=${'1'.repeat(64)}" data-yanked="<script>alert(1)</script>"></a></body></html>`))
    expect(filenames(await get())).toEqual(['a-2.0.zip', 'a-3.0.zip'])
    const html = (await rig.get(`/simple/${project}/`, { accept: 'text/html' })).body.toString()
    expect(html.match(/<[a-z0-9]+/g)?.filter((tag) => !['<html', '<head', '<meta', '<title', '<body', '<h1', '<a', '<br'].includes(tag))).toEqual([])
    expect(html).not.toMatch(/<script|javascript:|<[^>]* on\w+=/)
    expect(html).toContain(`href="${hostile.origin}/simple/${project}/a-2.0.zip"`)
  })

  test('invalid UTF-8 does not stop a page', async () => {
    const bad = Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80])
    page((_request, response) => response.end(Buffer.concat([Buffer.from(`${json([file('a-1.0.zip')]).slice(0, -1)},"description":"`), bad, Buffer.from('"}')])))
    expect(filenames(await get())).toEqual(['a-1.0.zip'])
    project = `p${++count}`
    page((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(Buffer.concat([Buffer.from('<html>'), bad, Buffer.from('<a href="a-1.0.zip">'), bad, Buffer.from('</a><a href="'), bad, Buffer.from('.zip">')])))
    expect(filenames(await get())).toContain('a-1.0.zip')
    for (const accept of [JSON_V1, 'text/html']) expect(Buffer.from((await rig.get(`/simple/${project}/`, { accept })).body.toString())).toEqual((await rig.get(`/simple/${project}/`, { accept })).body)
  })
})

describe('names', () => {
  test.each(['..%2f..%2fetc', 'a%00b', 'a%0d%0aX-Evil:1', 'a'.repeat(300), '-', '%ff', 'a%2fb'])('the project %s is asked of nobody', async (name) => {
    const before = hostile.requests.length
    expect((await rig.get(`/simple/${name}/`, { accept: JSON_V1 })).status).toBeGreaterThanOrEqual(400)
    expect(hostile.requests.length).toBe(before)
  })

  test('file names that are paths stay names', async () => {
    const bytes = Buffer.from('the bytes')
    const names = ['../../../../etc/cron.d/x-1.0.zip', '..', '/etc/passwd', 'a\\..\\b-1.0.zip', 'a\u0000-1.0.zip', 'a\r\nSet-Cookie: x=y-1.0.zip', '__proto__', 'a-1.0.zip']
    for (const [at] of names.entries()) paths.set(`/files/${project}/${at}`, (_request, response) => response.end(bytes))
    page((_request, response) => response.end(JSON.stringify({ meta: { 'api-version': '1.0' }, name: '../..', versions: ['../x'], files: names.map((filename, at) => ({ filename, url: `/files/${project}/${at}`, hashes: { sha256: sha256(bytes) } })) })))
    expect(filenames(await get())).toEqual(names)
    for (const filename of names) {
      const answer = await rig.get(`/files/${sha256(bytes)}/${encodeURIComponent(filename)}`)
      expect([200, 400, 404]).toContain(answer.status)
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(String(answer.headers['content-disposition'] ?? '')).not.toMatch(/filename="[^"]*[/\\]/)
    }
    expect((await rig.get(`/files/${sha256(bytes)}/a-1.0.zip`)).body).toEqual(bytes)
    expect((await rig.get(`/simple/${project}/`, { accept: 'text/html' })).status).toBe(200)
  })
})

describe('files', () => {
  const bytes = Buffer.from('0123456789abcdef'.repeat(16 * 1024))
  const digest = sha256(bytes)

  test.each<[string, Respond]>([
    ['other bytes of the same length', (_request, response) => { response.end(Buffer.alloc(bytes.length, 'x')) }],
    ['the right bytes and one more', (_request, response) => { response.end(Buffer.concat([bytes, Buffer.from('x')])) }],
    ['all bytes but the last', (_request, response) => { response.end(bytes.subarray(0, -1)) }],
    ['nothing', (_request, response) => { response.end() }],
    ['gzip of the right bytes', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes)) }],
    ['a page of HTML', (_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<html>') }],
    ['less than its content-length', (request, response) => { response.writeHead(200, { 'content-length': bytes.length }); response.write(bytes.subarray(0, 70_000), () => request.socket.destroy()) }],
    ['the right bytes in chunks, cut before the end', (request, response) => { response.write(bytes, () => request.socket.destroy()) }],
    ['bytes without end', (_request, response) => { response.write(bytes); pour(response, Buffer.alloc(64 * 1024)) }],
    ['a beginning, and then silence', (_request, response) => { response.write(bytes.subarray(0, 200_000)) }],
    ['no head', () => undefined],
    ['403', (_request, response) => { response.writeHead(403).end() }],
    ['404', (_request, response) => { response.writeHead(404).end() }],
    ['a redirect to this machine', (_request, response) => { response.writeHead(302, { location: `http://127.0.0.1:${new URL(rig.url).port}/healthz` }).end() }],
    ['a redirect in a circle', (request, response) => { response.writeHead(302, { location: request.url ?? '' }).end() }],
    ['huge headers', (request) => { raw(request, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`) }],
  ])('%s', async (_what, respond) => {
    // A name of its own: the others' pages list the same bytes.
    const name = `${project}-1.0.zip`
    const path = `/files/${project}/${name}`
    const own = sha256(Buffer.concat([bytes, Buffer.from(project)]))
    paths.set(path, respond)
    page((_request, response) => response.end(json([{ ...file(name), url: path, hashes: { sha256: digest } }, { ...file('b-1.0.zip'), hashes: { sha256: own } }])))
    await get()
    const answer = await throughPauses(rig.get(`/files/${digest}/${name}`).catch((error: unknown) => error as Error))
    if (!(answer instanceof Error)) {
      expect(answer.status).not.toBe(200)
      expect(Object.keys(ERRORS)).toContain(named(answer))
      expect(named(answer)).not.toBe('internal')
    }
    expect(await rig.blobs.stat(digest)).toBeUndefined()
    expect(await rig.blobs.stat(sha256(Buffer.alloc(bytes.length, 'x')))).toBeUndefined()
    // The counter-proof: the same address, honest.
    await rig.clock.advance(120_000)
    paths.set(path, (_request, response) => response.end(bytes))
    await expect.poll(() => rig.get(`/files/${digest}/${name}`).catch(() => undefined), { timeout: 10_000 }).toMatchObject({ status: 200, body: bytes })
    await rig.blobs.remove(digest)
  })

  test.each(['http://127.0.0.1:9/a-1.0.zip', 'http://[::1]:9/a-1.0.zip', 'http://169.254.169.254/a-1.0.zip', 'http://10.0.0.1/a-1.0.zip', 'http://localhost:9/a-1.0.zip', 'file:///etc/passwd', 'javascript:1', 'http://['])('at %s is not fetched', async (url) => {
    page((_request, response) => response.end(json([{ ...file('a-1.0.zip'), url, hashes: { sha256: sha256(url) } }, { ...file('b-1.0.zip'), hashes: { sha256: sha256(`${url} own`) }, url: `/files/${project}/b` }])))
    paths.set(`/files/${project}/b`, (_request, response) => response.end(`${url} own`))
    await get()
    expect(['upstream-forbidden', 'upstream-bad-answer', 'no-such-file']).toContain(named(await rig.get(`/files/${sha256(url)}/a-1.0.zip`)))
    expect((await rig.get(`/files/${sha256(`${url} own`)}/b-1.0.zip`)).body.toString()).toBe(`${url} own`)
  })

  test('wrong metadata is not kept, and the right one is', async () => {
    const path = `/files/${project}/a-1.0-py3-none-any.whl`
    const metadata = 'Metadata-Version: 2.1\nName: a\nVersion: 1.0\n'
    const wheel = sha256(`wheel of ${project}`)
    page((_request, response) => response.end(json([{ filename: 'a-1.0-py3-none-any.whl', url: path, hashes: { sha256: wheel }, 'core-metadata': { sha256: sha256(metadata) } }])))
    paths.set(`${path}.metadata`, (_request, response) => response.end(metadata.replace('1.0', '6.6')))
    await get()
    expect(named(await rig.get(`/files/${wheel}/a-1.0-py3-none-any.whl.metadata`))).toBe('digest-mismatch')
    paths.set(`${path}.metadata`, (_request, response) => response.end(metadata))
    expect((await rig.get(`/files/${wheel}/a-1.0-py3-none-any.whl.metadata`)).body.toString()).toBe(metadata)
  })
})

describe('other projects', () => {
  test.each<[string, () => Buffer | string]>([
    ['10 MB of JSON', () => json(Array.from({ length: 60_000 }, (_, at) => file(`a-${at}.zip`, at)))],
    ['10 MB of HTML', () => Array.from({ length: 90_000 }, (_, at) => `<a href="/files/a-${at}.zip#md5=${'0'.repeat(32)}" data-requires-python="&gt;=3.8">a-${at}.zip</a><br>\n`).join('')],
    ['10 MB of tags', () => '<b><a x></i>'.repeat(850_000)],
    ['10 MB of nothing', () => ' '.repeat(10_000_000)],
  ])('are served while %s are read', async (_what, body) => {
    const made = body()
    const big = project
    page((_request, response) => response.end(made))
    project = `p${++count}`
    page((_request, response) => response.end(json([file('b-1.0.zip')])))
    await get()
    const reading = get(big)
    let longest = 0
    let done = false
    void reading.finally(() => { done = true })
    while (!done) {
      const began = performance.now()
      expect(filenames(await get())).toEqual(['b-1.0.zip'])
      longest = Math.max(longest, performance.now() - began)
    }
    expect(longest).toBeLessThan(3_000)
    const answer = await reading
    if (answer.status !== 200) expect(named(answer)).toBe('upstream-bad-answer')
  })

  test('are served and fetched while pages and files drip and hang', async () => {
    const hanging = Array.from({ length: 20 }, (_, at) => `${project}-${at}`)
    for (const [at, name] of hanging.entries()) {
      paths.set(`/simple/${name}/`, (_request, response) => {
        if (at % 2 === 0) drip(response)
        else response.write('{')
      })
    }
    const answers = hanging.map((name) => get(name))
    page((_request, response) => response.end(json([file('b-1.0.zip')])))
    const began = performance.now()
    expect(filenames(await get())).toEqual(['b-1.0.zip'])
    expect(performance.now() - began).toBeLessThan(1_000)
    for (const answer of await Promise.all(answers)) expect(named(answer)).toBe('upstream-timeout')
  })
})

test('nothing of all this is left behind', async () => {
  expect(await rig.blobs.sweep()).toBe(0)
  expect((await rig.get('/healthz')).status).toBe(200)
})

function page(respond: Respond): void {
  paths.set(`/simple/${project}/`, respond)
}

async function get(name = project): Promise<Answer> {
  return rig.get(`/simple/${name}/`, { accept: JSON_V1 })
}

function file(filename: string, at = 0): Record<string, unknown> {
  return { filename, url: `/files/${filename}`, hashes: { sha256: at.toString(16).padStart(64, '0') }, 'requires-python': '>=3.8' }
}

function json(files: object[] = []): string {
  return JSON.stringify({ meta: { 'api-version': '1.0' }, name: 'a', files })
}

function filenames({ status, body }: Answer): string[] {
  expect(status).toBe(200)
  return (JSON.parse(body.toString()) as { files: { filename: string }[] }).files.map(({ filename }) => filename)
}

/** A transfer that broke is taken up again after a pause, some times: they pass as soon as they begin. */
async function throughPauses<T>(work: Promise<T>): Promise<T> {
  let over = false
  void work.then(() => { over = true })
  await expect.poll(async () => {
    await rig.clock.advance(20_000)
    return over
  }, { timeout: 15_000, interval: 10 }).toBe(true)
  return work
}

/** The code of an answer that is an error; people and programs are told what went wrong. */
function named({ headers, body }: Answer): string {
  expect(headers['content-type']).toContain('application/problem+json')
  const { code, detail } = JSON.parse(body.toString()) as { code: string; detail: string }
  expect(detail).not.toMatch(/\n/)
  return code
}

function raw(request: IncomingMessage, text: string): void {
  request.socket.end(text)
}

/** As much as anybody takes. */
function pour(response: ServerResponse, piece: Buffer): void {
  while (!response.destroyed && response.write(piece));
  if (!response.destroyed) response.once('drain', () => pour(response, piece))
}

/** A byte now and then, always within what is waited for the next. */
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}

function redirectOn(response: ServerResponse, at: number): void {
  paths.set(`/on/${at + 1}`, (_request, next) => redirectOn(next, at + 1))
  response.writeHead(307, { location: `/on/${at + 1}` }).end()
}
