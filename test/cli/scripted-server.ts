/** An HTTP server that answers what a test tells it to: for what the real one does not do when it is asked to. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked { method: string; path: string; headers: IncomingHttpHeaders; body: string }

/** JSON with its status (200 unless told), or whatever it does with the response. */
type Answer = { status?: number; json: unknown } | ((response: ServerResponse, asked: Asked) => void)

export interface ScriptedServer {
  url: string
  asked: Asked[]
  /** The next answer to `GET /api/v1/jobs/12`; the last one told is given for ever. Where none was, an endless silent stream. */
  on(request: string, ...answers: Answer[]): void
  close(): Promise<void>
}

export async function scriptedServer(): Promise<ScriptedServer> {
  const scripts = new Map<string, Answer[]>()
  const asked: Asked[] = []
  const server = createServer((request, response) => void (async () => {
    const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: await text(request) }
    asked.push(one)
    const script = scripts.get(`${one.method} ${one.path}`)
    const answer = script && script.length > 1 ? script.shift() : script?.[0]
    if (typeof answer === 'function') return answer(response, one)
    if (answer) return response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json))
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  })())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    on: (request, ...answers) => { scripts.set(request, answers) },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A stream of these events, ended in order or cut. */
export function events(list: { id?: number | string; event?: string; data?: unknown }[], { cut = false } = {}): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const { id, event, data } of list) {
      response.write(`${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${data === undefined ? '' : `data: ${JSON.stringify(data)}\n`}\n`)
    }
    if (cut) setImmediate(() => response.socket?.destroySoon())
    else response.end()
  }
}
