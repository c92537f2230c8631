import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IndexData } from '../contracts/upstream.ts'

/** An HTTP server on loopback. `requests` are those it got, oldest first. */
export interface TestServer {
  origin: string
  requests: IncomingMessage[]
  close(): Promise<void>
}

export async function startServer(listener: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

/** Serves a simple index under `/simple/` and its files under `/files/`, as an index at API 1.4 does. */
export function indexListener(data: IndexData): RequestListener {
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://index.example').pathname
    const file = data.files[path.slice('/files/'.length)]
    if (path.startsWith('/files/') && file) return sendFile(request, response, file)
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1]
    const json = path === '/simple/' ? data.list : project === undefined ? undefined : data.pages[project]
    sendJson(request, response, json)
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: Buffer): void {
  const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 16)}"`
  const [, from, to] = /^bytes=([0-9]+)-([0-9]*)$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined || (request.headers['if-range'] ?? etag) !== etag) return void response.writeHead(200, { etag, 'content-length': file.length }).end(file)
  const [start, end] = [Number(from), Math.min(to === '' ? Infinity : Number(to), file.length - 1)]
  if (start > end) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
  response.writeHead(206, { etag, 'content-length': end + 1 - start, 'content-range': `bytes ${start}-${end}/${file.length}` }).end(file.subarray(start, end + 1))
}

export function sendJson(request: IncomingMessage, response: ServerResponse, json: object | undefined): void {
  if (!json) return void response.writeHead(404).end('absent')
  const body = JSON.stringify(json)
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
  response.writeHead(200, { etag, 'content-type': 'application/vnd.pypi.simple.v1+json' }).end(body)
}
