import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { closeServer } from '../../src/http/server.ts'
import { takeConnectionsFirst } from '../../src/http/take-connections.ts'

const MANY = 200
const REQUEST = 'GET / HTTP/1.1\r\nHost: upstream.example\r\nConnection: close\r\n\r\n'
const open: (Server | Socket)[] = []

afterEach(async () => {
  for (const one of open.splice(0)) if ('closeAllConnections' in one) await new Promise((closed) => { one.close(closed); one.closeAllConnections() }); else one.destroy()
})

/** How many connections the server knew of when it was asked the first time, and what each client got. */
async function crowd(prepare: (server: Server) => void): Promise<{ known: number; answers: string[] }> {
  let connections = 0
  const asked = Promise.withResolvers<number>()
  const server = createServer((_req, res) => { asked.resolve(connections); res.end('here') })
  prepare(server)
  server.on('connection', () => { connections += 1 })
  open.push(server)
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 1000 }), 'listening')
  const { port } = server.address() as AddressInfo
  const clients = Array.from({ length: MANY }, () => connect(port, '127.0.0.1'))
  open.push(...clients)
  for (const client of clients) client.write(REQUEST)
  return { answers: await Promise.all(clients.map((client) => text(client))), known: await asked.promise }
}

test('of a crowd all are taken before the first is read, and each is answered', async () => {
  let now = 0
  const { known, answers } = await crowd((server) => takeConnectionsFirst(server, () => now += 0.1))
  expect(known).toBe(MANY)
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*here/)
})

test('Node by itself reads the first of them before that', async () => {
  const { known } = await crowd(() => undefined)
  expect(known).toBeLessThan(MANY)
})

test('who asks slowly, and again on the same connection, is answered', async () => {
  const server = createServer((req, res) => res.end(req.url))
  takeConnectionsFirst(server)
  open.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  open.push(client)
  for (const path of ['/one', '/two']) {
    for (const part of [`GET ${path} HTTP/1.1\r\nHost:`, ' upstream.example\r\n', '\r\n']) await new Promise((written) => client.write(part, written))
    const [bytes] = await once(client, 'data') as [Buffer]
    expect(bytes.toString()).toContain(path)
  }
})

test('a crowd that was taken is answered, although the server closes before it was read', async () => {
  const server = createServer((_req, res) => res.end('here'))
  takeConnectionsFirst(server)
  open.push(server)
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 1000 }), 'listening')
  let connections = 0
  const all = new Promise<void>((taken) => { server.on('connection', () => { if (++connections === MANY) taken() }) })
  const clients = Array.from({ length: MANY }, () => connect((server.address() as AddressInfo).port, '127.0.0.1'))
  open.push(...clients)
  for (const client of clients) client.write(REQUEST)
  const answers = Promise.all(clients.map((client) => text(client)))
  await all
  await closeServer(server, { closing: new AbortController(), grace: new AbortController().signal })
  for (const answer of await answers) expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*here/)
})

test('who comes one after the other while the server works is no crowd', async () => {
  const server = new EventEmitter()
  let now = 0
  takeConnectionsFirst(server as Server, () => now)
  const longest: number[] = []
  for (let turn = 0; turn < 50; turn++) {
    const came = now
    server.emit('connection', { resume: () => longest.push(now - came) })
    now += 8
    await new Promise(setImmediate)
  }
  expect(longest.length).toBeGreaterThan(40)
  expect(Math.max(...longest)).toBeLessThanOrEqual(32)
})
