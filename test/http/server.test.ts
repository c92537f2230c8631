import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import { expect, test } from 'vitest'
import { closeServer, createServer } from '../../src/http/server.ts'
import type { AddressInfo } from 'node:net'

async function listening(app: Koa) {
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

async function spoken(port: number, words: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(words)
  return text(socket)
}

test('an expected 100 is not sent: every 100 means "still waiting"', async () => {
  const app = new Koa()
  app.use((ctx) => { ctx.body = 'done' })
  const { server, port } = await listening(app)
  const answer = await spoken(port, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).not.toContain('100 Continue')
  await closeServer(server, { closing: new AbortController(), grace: AbortSignal.abort() })
})

test('a closing server lets answers finish, then lets go of their connections', async () => {
  const app = new Koa()
  const asked = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  app.use(async (ctx) => {
    asked.resolve()
    await finish.promise
    ctx.body = 'whole'
  })
  const { server, port } = await listening(app)
  const answer = spoken(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await asked.promise
  const closing = new AbortController()
  const closed = closeServer(server, { closing, grace: new AbortController().signal })
  expect(closing.signal.aborted).toBe(true)
  finish.resolve()
  expect(await answer).toMatch(/whole$/)
  await closed
})

test('what does not end within the grace is cut', async () => {
  const app = new Koa()
  const asked = Promise.withResolvers<void>()
  app.use(async () => {
    asked.resolve()
    await new Promise(() => {})
  })
  const { server, port } = await listening(app)
  const answer = spoken(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').catch((error: NodeJS.ErrnoException) => error.code)
  await asked.promise
  const grace = new AbortController()
  const closed = closeServer(server, { closing: new AbortController(), grace: grace.signal })
  grace.abort()
  await closed
  expect(['', 'ECONNRESET']).toContain(await answer)
})
