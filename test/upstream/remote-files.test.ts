import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RemoteFile } from '../../src/services/ports.ts'
import { createRemoteFiles } from '../../src/upstream/remote-files.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { startServer, type TestServer } from './index-server.ts'

let clock: ManualClock
const closers: (() => Promise<void>)[] = []
beforeEach(() => { clock = manualClock() })
afterEach(async () => { for (const close of closers.splice(0).reverse()) await close() })

async function serve(...args: Parameters<typeof startServer>): Promise<TestServer> {
  const server = await startServer(...args)
  closers.push(() => server.close())
  return server
}

function make(address?: string) {
  const remote = createRemoteFiles({ address, setting: 'apkMirror', ca: undefined, instance: 'instance-1', log: pino({ level: 'silent' }), clock, timeouts: { connect: 1000, headers: 1000, idle: 1000 } })
  closers.push(() => remote.close())
  return remote
}

async function file(answer: RemoteFile) {
  if (answer.kind !== 'file') throw new Error(answer.kind)
  return { ...answer, body: await text(answer.body) }
}

test('a file comes as it is, with what tells another one from it', async () => {
  const server = await serve((_request, response) => response.writeHead(200, { 'etag': 'W/"1"', 'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT', 'content-length': 5 }).end('bytes'))
  expect(await file(await make().get(`${server.origin}/a/APKINDEX.tar.gz`))).toEqual({ kind: 'file', body: 'bytes', size: 5, validator: 'W/"1"' })
  expect(server.requests[0]).toMatchObject({ url: '/a/APKINDEX.tar.gz', headers: { 'accept-encoding': 'identity', 'muslin-via': 'instance-1' } })
})

test('bytes that a server labels as encoded stay as they are', async () => {
  const bytes = gzipSync('an index')
  const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes))
  const answer = await make().get(`${server.origin}/APKINDEX.tar.gz`)
  expect(answer.kind === 'file' && await buffer(answer.body)).toEqual(bytes)
})

test('a file is asked for again by its tag, or by its date where it has none', async () => {
  const DATE = 'Wed, 01 Jan 2025 00:00:00 GMT'
  const server = await serve((request, response) => {
    const same = request.headers['if-none-match'] === '"1"' || request.headers['if-modified-since'] === DATE
    response.writeHead(same ? 304 : 200, { 'last-modified': DATE }).end()
  })
  const remote = make()
  expect((await file(await remote.get(`${server.origin}/x`))).validator).toBe(DATE)
  expect(await remote.get(`${server.origin}/x`, DATE)).toEqual({ kind: 'unchanged' })
  expect(await remote.get(`${server.origin}/x`, '"1"')).toEqual({ kind: 'unchanged' })
})

test.each([[404, 'absent'], [410, 'absent']])('%i is %s', async (status, kind) => {
  const server = await serve((_request, response) => response.writeHead(status).end())
  expect(await make().get(`${server.origin}/x`)).toEqual({ kind })
})

test.each([403, 500, 304])('%i is told, with the setting that names the server', async (status) => {
  const server = await serve((_request, response) => response.writeHead(status).end())
  await expect(make().get(`${server.origin}/x`)).rejects.toMatchObject({ code: 'upstream-refused', detail: expect.stringMatching(status === 500 ? /problem of its own/ : /apkMirror/) })
})

test('credentials of the setting go to its address alone', async () => {
  const there = await serve((_request, response) => response.end('there'))
  const here = await serve((_request, response) => response.writeHead(302, { location: `${there.origin}/moved` }).end())
  await file(await make(`${here.origin.replace('//', '//me:secret@')}/alpine`).get(`${here.origin}/alpine/v3.21/main/x`))
  expect(here.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  expect(there.requests[0]?.headers.authorization).toBeUndefined()
})

test('a server that cannot be reached is left alone for a while, and others are not', async () => {
  const gone = await startServer(() => undefined)
  await gone.close()
  const server = await serve((_request, response) => response.end('bytes'))
  const remote = make()
  const first = await remote.get(`${gone.origin}/x`).catch((error: unknown) => error)
  expect(first).toMatchObject({ code: 'upstream-unreachable', detail: expect.stringContaining('apkMirror') })
  expect(await remote.get(`${gone.origin}/y`).catch((error: unknown) => error)).toBe(first)
  expect((await file(await remote.get(`${server.origin}/x`))).body).toBe('bytes')
  await clock.advance(3_000)
  expect(await remote.get(`${gone.origin}/y`).catch((error: unknown) => error)).not.toBe(first)
})

test('a transfer that breaks is told', async () => {
  const server = await serve((request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half')
    void once(response, 'close')
    setImmediate(() => request.socket.destroy())
  })
  const answer = await make().get(`${server.origin}/x`)
  await expect(file(answer)).rejects.toMatchObject({ code: 'upstream-unreachable' })
})

test('only http and https are spoken', async () => {
  await expect(make().get('file:///etc/passwd')).rejects.toMatchObject({ code: 'bad-settings' })
})
