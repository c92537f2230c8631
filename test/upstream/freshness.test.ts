import type { RequestListener } from 'node:http'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { offlineFiles, offlineUpstream } from '../../src/upstream/offline.ts'
import { startServer, type TestServer } from './index-server.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const JSON_V1 = { 'content-type': 'application/vnd.pypi.simple.v1+json' }
const PAGE = JSON.stringify({ meta: { 'api-version': '1.4' }, name: 'six', files: [] })
const closers: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of closers.splice(0)) await close() })

async function serve(listener: RequestListener) {
  const server: TestServer = await startServer(listener)
  let now = NOW
  const clock = { now: () => now, sleep: async () => undefined }
  const upstream = createUpstream({ url: `${server.origin}/simple/`, instance: 'instance-1', log: pino({ level: 'silent' }), clock })
  closers.push(() => upstream.close(), () => server.close())
  return { server, upstream, pass: (ms: number) => { now += ms } }
}

test('what page, list and 304 say of their freshness comes along, less the time that they took', async () => {
  const { upstream, pass } = await serve((request, response) => {
    pass(2_000)
    const headers = { ...JSON_V1, etag: '"1"', age: '30', 'cache-control': 'max-age=600, stale-while-revalidate=300' }
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304, { 'cache-control': 'max-age=60' }).end()
    else response.writeHead(200, headers).end(request.url === '/simple/' ? '{}' : PAGE)
  })
  expect(await upstream.page('six')).toMatchObject({ kind: 'page', validator: '"1"', freshness: { seconds: 568, staleWhileRevalidate: 300 } })
  expect(await upstream.page('six', '"1"')).toEqual({ kind: 'unchanged', freshness: { seconds: 58, staleWhileRevalidate: 0 } })
  const list = await upstream.list()
  expect(list).toMatchObject({ kind: 'list', freshness: { seconds: 568, staleWhileRevalidate: 300 } })
  if (list.kind === 'list') list.body.destroy()
  expect(await upstream.list('"1"')).toMatchObject({ kind: 'unchanged', freshness: { seconds: 58 } })
})

test('without an ETag it is asked by Last-Modified, unless that is the very second of the answer', async () => {
  const then = new Date(NOW - 60_000).toUTCString()
  const date = new Date(NOW).toUTCString()
  const { server, upstream } = await serve((request, response) => {
    if (request.headers['if-modified-since'] === then) return void response.writeHead(304).end()
    response.writeHead(200, { ...JSON_V1, date, 'last-modified': request.url === '/simple/young/' ? date : then }).end(PAGE)
  })
  expect(await upstream.page('six')).toMatchObject({ kind: 'page', validator: then, freshness: undefined })
  expect(await upstream.page('six', then)).toEqual({ kind: 'unchanged', freshness: undefined })
  expect(server.requests.at(-1)?.headers).not.toHaveProperty('if-none-match')
  expect(await upstream.page('young')).toMatchObject({ kind: 'page', validator: undefined })
})

test('a reload lets no cache answer; other requests say nothing of the kind', async () => {
  const { server, upstream } = await serve((_request, response) => response.writeHead(200, JSON_V1).end(PAGE))
  await upstream.page('six', undefined, undefined, true)
  await upstream.page('six')
  expect(server.requests.map(({ headers }) => [headers['cache-control'], headers.pragma])).toEqual([['no-cache', 'no-cache'], [undefined, undefined]])
})

test('an upstream that is never asked says so, whatever is wanted of it', async () => {
  const upstream = offlineUpstream('https://upstream.example/simple/')
  expect(upstream.label).toBe('https://upstream.example/simple/')
  for (const asked of [upstream.page('six'), upstream.list(), upstream.file('https://upstream.example/f'), offlineFiles().get('https://alpine.example/f')]) {
    await expect(asked).rejects.toMatchObject({ code: 'offline', status: 503 })
  }
})
