import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { upstreamContract } from '../contracts/upstream.ts'
import type { TestServer } from './index-server.ts'
import { indexListener, sendJson, startServer } from './index-server.ts'

const clock = { now: () => 0, sleep: async () => undefined }
const PAGE = { meta: { 'api-version': '1.4' }, name: 'six', files: [] }
const closers: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of closers.splice(0)) await close() })

describe('the contract', () => {
  upstreamContract(async (data) => {
    const server = await startServer(indexListener(data))
    const upstream = make(`${server.origin.replace('//', '//me:secret@')}/simple/`)
    return { upstream, fileUrl: (filename) => `${server.origin}/files/${filename}`, close: () => server.close() }
  })
})

describe('requests', () => {
  test('ask for JSON, say who asks, and bear the mark that finds loops', async () => {
    const server = await serve((request, response) => sendJson(request, response, PAGE))
    await make(`${server.origin}/simple`).page('six')
    expect(server.requests[0]).toMatchObject({
      url: '/simple/six/',
      headers: {
        accept: expect.stringMatching(/^application\/vnd\.pypi\.simple\.v1\+json, .*text\/html;q=0\.1$/), 'accept-encoding': 'gzip, deflate, zstd',
        'muslin-via': 'instance-1', 'user-agent': expect.stringMatching(/^muslin\/\d/),
      },
    })
  })

  test('bear the marks of those before us too, for pages and the list', async () => {
    const server = await serve((request, response) => sendJson(request, response, PAGE))
    const upstream = make(`${server.origin}/simple`)
    await upstream.page('six', undefined, 'instance-3, instance-2')
    const got = await upstream.list(undefined, 'instance-3')
    if (got.kind === 'list') await buffer(got.body)
    expect(server.requests.map(({ headers }) => headers['muslin-via'])).toEqual(['instance-3, instance-2, instance-1', 'instance-3, instance-1'])
  })

  test('for files ask for their own bytes, even where a server labels those as encoded', async () => {
    const tar = gzipSync('a tar file')
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(tar))
    const { body } = await make(server.origin).file(`${server.origin}/a.tar.gz`)
    expect((await buffer(body)).equals(tar)).toBe(true)
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('are sent again once when a kept connection was closed', async () => {
    let asked = 0
    const server = await serve((request, response) => ++asked === 2 ? request.socket.destroy() : sendJson(request, response, PAGE))
    const upstream = make(server.origin)
    await upstream.page('six')
    expect((await upstream.page('six')).kind).toBe('page')
    expect(asked).toBe(3)
  })
})

describe('encodings', () => {
  const encoders = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync }
  test.each(Object.entries(encoders))('%s is decoded', async (encoding, encode) => {
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(encode(JSON.stringify(PAGE))))
    const page = await make(server.origin).page('six')
    expect(page.kind === 'page' && JSON.parse(page.json.toString())).toEqual(PAGE)
  })

  test('a page that grows beyond the cap is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000, ' '))
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    await expect(make(server.origin, { largestPage: 100_000 }).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('larger than 100000 bytes') })
  })

  test.each([['br', 'which was not asked for'], ['gzip', 'cannot be read']])('a body that is no %s', async (encoding, detail) => {
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end('text'))
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining(detail) })
  })
})

describe('redirects', () => {
  test('are followed; the page says where it came from', async () => {
    const server = await serve((request, response) => request.url === '/simple/six/'
      ? response.writeHead(301, { location: '/moved/six/' }).end('moved') : sendJson(request, response, PAGE))
    expect(await make(`${server.origin}/simple/`).page('six')).toMatchObject({ kind: 'page', url: `${server.origin}/moved/six/` })
  })

  test('end after five', async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: '/again/' }).end())
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('more than 5 times') })
    expect(server.requests).toHaveLength(6)
  })

  test('lead to http and https only', async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end())
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('no http or https URL') })
  })

  test('do not take credentials to another origin', async () => {
    const other = await serve((request, response) => sendJson(request, response, PAGE))
    const server = await serve((_request, response) => response.writeHead(302, { location: `${other.origin}/simple/six/` }).end())
    await make(`${withCredentials(server.origin)}/simple/`, { trusted: () => true }).page('six')
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:se@cret').toString('base64')}`)
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })
})

test('credentials go to the files beside the index, and not to other folders of its host', async () => {
  const server = await serve((_request, response) => response.end('bytes'))
  const upstream = make(`${withCredentials(server.origin)}/api/team/simple/`)
  for (const path of ['/api/team/files/a.whl', '/api/other/a.whl', '/api/team/../other/a.whl']) await buffer((await upstream.file(server.origin + path)).body)
  expect(server.requests.map((request) => request.headers.authorization !== undefined)).toEqual([true, false, false])
})

describe('answers that are none', () => {
  test.each([
    [403, 'upstream-refused', 'credentials'], [410, 'upstream-refused', '410 Gone'], [429, 'upstream-refused', 'limits requests'],
    [503, 'upstream-refused', '503 Service Unavailable'], [508, 'loop', 'this server itself'], [406, 'upstream-refused', '406 Not Acceptable'], [304, 'upstream-refused', '304'],
  ])('the status %i', async (status, code, detail) => {
    const server = await serve((_request, response) => response.writeHead(status).end())
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code, detail: expect.stringContaining(detail) })
  })

  test.each([
    ['text/html', '<html>', 'without a link to a file'], ['text/plain', 'pages of six', 'neither JSON nor HTML'], ['application/json', '{"no', 'no JSON'], ['application/json', '[]', 'neither JSON nor HTML'],
    ['application/json', '{"meta":{"api-version":"1.0"},"name":"six"}', 'files: '], ['application/json', '{"meta":{"api-version":"2.0"},"name":"six","files":[]}', 'api-version'],
  ])('the body %s %s', async (type, body, detail) => {
    const server = await serve((_request, response) => response.writeHead(200, { 'content-type': type }).end(body))
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining(detail) })
  })

  test('a file that is gone', async () => {
    const server = await serve((_request, response) => response.writeHead(404).end())
    await expect(make(server.origin).file(`${server.origin}/a.whl`)).rejects.toMatchObject({ code: 'no-such-file' })
    await expect(make(server.origin).file('ftp://upstream.example/a.whl')).rejects.toMatchObject({ code: 'upstream-bad-answer' })
  })

  test('an answer that is no HTTP', async () => {
    const origin = await serveRaw('SSH-2.0-OpenSSH_9.2\r\n')
    await expect(make(origin).page('six')).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('HPE_') })
  })
})

describe('bodies that break', () => {
  test('a file shorter than announced', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 10_000 })
      response.write('cut', () => request.socket.destroy())
    })
    const { body, size } = await make(server.origin).file(`${server.origin}/a.whl`)
    expect(size).toBe(10_000)
    await expect(buffer(body)).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test('a page cut in its chunks', async () => {
    const server = await serve((request, response) => { response.write('{"meta"', () => request.socket.destroy()) })
    await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })

  test('one that breaks before it has a reader', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('cut', () => request.socket.destroy())
    })
    const { body } = await make(server.origin).file(`${server.origin}/a.whl`)
    await new Promise((resolve) => body.once('close', resolve))
    await expect(buffer(body)).rejects.toMatchObject({ code: 'upstream-unreachable' })
  })
})

describe('time', () => {
  const timeouts = { connect: 500, headers: 40, idle: 40 }

  test('no head', async () => {
    const server = await serve(() => undefined)
    await expect(make(server.origin, { timeouts }).page('six')).rejects.toMatchObject({ code: 'upstream-timeout' })
  })

  test('no further piece of a body', async () => {
    const server = await serve((_request, response) => { response.write('{') })
    await expect(make(server.origin, { timeouts }).page('six')).rejects.toMatchObject({ code: 'upstream-timeout' })
    const { body } = await make(server.origin, { timeouts }).file(`${server.origin}/a.whl`)
    await expect(buffer(body)).rejects.toMatchObject({ code: 'upstream-timeout' })
  })
})

test('an upstream that does not answer is left alone, for its list and every page', async () => {
  const server = await serve(() => undefined)
  const upstream = make(server.origin, { timeouts: { connect: 500, headers: 40, idle: 40 } })
  for (const ask of [() => upstream.page('six'), () => upstream.page('cffi'), () => upstream.list()]) await expect(ask()).rejects.toMatchObject({ code: 'upstream-timeout' })
  expect(server.requests).toHaveLength(1)
})

describe('one page that breaks lets the upstream not rest', () => {
  const timeouts = { connect: 500, headers: 40, idle: 40 }

  test.each([
    ['is cut', 'upstream-unreachable', (socket: Socket) => { socket.destroy() }], ['stops', 'upstream-timeout', () => undefined],
  ])('where its body %s', async (_how, code, breaks) => {
    const server = await serve((request, response) => {
      if (request.url !== '/six/') return sendJson(request, response, PAGE)
      response.write('{"meta"', () => breaks(request.socket))
    })
    const upstream = make(server.origin, { timeouts })
    await expect(upstream.page('six')).rejects.toMatchObject({ code })
    expect((await upstream.page('cffi')).kind).toBe('page')
  })

  test('where it is redirected to a host that is down', async () => {
    const down = await startServer(() => undefined)
    await down.close()
    const server = await serve((request, response) => request.url === '/six/' ? response.writeHead(302, { location: down.origin }).end() : sendJson(request, response, PAGE))
    const upstream = make(server.origin, { trusted: () => true })
    await expect(upstream.page('six')).rejects.toMatchObject({ code: 'upstream-unreachable' })
    expect((await upstream.page('cffi')).kind).toBe('page')
  })
})

test('a list that decodes to more than anybody has, or does not come to its end, is given up', async () => {
  const list = JSON.stringify({ meta: { 'api-version': '1.0' }, projects: Array.from({ length: 1000 }, () => ({ name: 'a' })) })
  const html = '<a href="a/">a</a>'.repeat(1000)
  for (const body of [list, html]) {
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body)))
    const read = async (largestList: number) => {
      const got = await make(server.origin, { largestList }).list()
      return got.kind === 'list' && (await buffer(got.body)).length
    }
    expect(await read(body.length)).toBeGreaterThan(10_000)
    await expect(read(body.length - 1)).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining('is larger than') })
  }
  const dripping = await serve((_request, response) => {
    response.write(list.slice(0, 100))
    const timer = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(timer))
  })
  const got = await make(dripping.origin, { timeouts: { connect: 1000, headers: 1000, idle: 1000, list: 200 } }).list()
  await expect(got.kind === 'list' && buffer(got.body)).rejects.toMatchObject({ code: 'upstream-timeout', detail: expect.stringContaining('its list of projects within 0.2 seconds') })
})

test('nobody listens', async () => {
  const server = await startServer(() => undefined)
  await server.close()
  await expect(make(server.origin).page('six')).rejects.toMatchObject({ code: 'upstream-unreachable', detail: expect.stringContaining('ECONNREFUSED') })
})

function make(url: string, options: Partial<Parameters<typeof createUpstream>[0]> = {}): ReturnType<typeof createUpstream> {
  const upstream = createUpstream({ url, instance: 'instance-1', log: pino({ level: 'silent' }), clock, ...options })
  closers.push(() => upstream.close())
  return upstream
}

async function serve(listener: RequestListener): Promise<TestServer> {
  const server = await startServer(listener)
  closers.push(() => server.close())
  return server
}

/** A server that says the same to everybody. */
async function serveRaw(text: string): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume().end(text))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => new Promise((resolve) => { server.close(() => resolve()) }))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function withCredentials(origin: string): string {
  return origin.replace('//', '//me:se%40cret@')
}
