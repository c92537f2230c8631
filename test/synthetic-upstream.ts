/** A simple index at API 1.4 on loopback, made of what a test puts into it: ETags, core-metadata, provenance, statuses, unknown keys. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'

export interface SyntheticFile {
  filename: string
  bytes: Buffer
  /** Served beside the file; announced with its digest unless `undigested`. */
  metadata?: string
  undigested?: boolean
  /** Other keys of the page's entry; they win over those that are made. */
  keys?: Record<string, unknown>
  /** What the server really sends, where that differs. */
  sent?: Buffer
  /** Sends so many bytes, then waits for `until` before the rest. */
  stall?: { after: number; until: Promise<void> }
  /** The server has ranges of it, and this tag where it is given. */
  ranges?: boolean
  tag?: string
  /** The first answers end after so many bytes each, by a broken connection. */
  breaks?: number[]
  /** Beside the file, if its page names it. */
  provenance?: string
  /** No length is told. */
  unsized?: boolean
}

export interface SyntheticUpstream {
  /** The index's URL, ends in `/simple/`. */
  url: string
  /** Method and path of each request, oldest first. */
  requests: string[]
  /** The headers of each. */
  headers: IncomingHttpHeaders[]
  /** Lists a project with these files; `keys` are further keys of its page. */
  project(name: string, files: SyntheticFile[], keys?: Record<string, unknown>): void
  remove(name: string): void
  /** Serves the list of projects as this HTML, whatever is accepted. */
  listAsHtml(html: string): void
  /** Answers everything with this status from now on; undefined: works again. */
  break(status: number | undefined): void
  /** Breaks the connections that are open. */
  cut(): void
  /** What pages and list say of their freshness from now on; undefined: nothing. */
  cacheControl(text: string | undefined): void
  /** Takes requests and answers none of them, until it is called with false: then those that came later are answered. */
  silence(on: boolean): void
  /** Refuses connections from now on, and cuts those that are there. */
  leave(): Promise<void>
  /** Ends that. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

export const JSON_V1 = 'application/vnd.pypi.simple.v1+json'

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export async function syntheticUpstream(): Promise<SyntheticUpstream> {
  const pages = new Map<string, string>()
  const files = new Map<string, SyntheticFile>()
  const requests: string[] = []
  const headers: IncomingHttpHeaders[] = []
  let broken: number | undefined
  let cacheControl: string | undefined
  let silent = false
  let listHtml: string | undefined
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    if (silent) return
    if (cacheControl !== undefined) response.setHeader('cache-control', cacheControl)
    void answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://upstream.example').pathname)
    if (broken !== undefined) return void response.writeHead(broken).end()
    if (path === '/simple/' && listHtml !== undefined) return void response.writeHead(200, { 'content-type': 'text/html; charset=UTF-8' }).end(listHtml)
    if (path === '/simple/') return sendJson(request, response, JSON.stringify({ meta: { 'api-version': '1.4', '_last-serial': 7 }, projects: [...pages.keys()].map((name) => ({ name })) }))
    const page = pages.get(/^\/simple\/([^/]+)\/$/.exec(path)?.[1] ?? '')
    if (page !== undefined) return sendJson(request, response, page)
    const metadata = path.endsWith('.metadata') ? files.get(path.slice(0, -'.metadata'.length))?.metadata : undefined
    if (metadata !== undefined) return void response.end(metadata)
    const provenance = path.endsWith('.provenance') ? files.get(path.slice(0, -'.provenance'.length))?.provenance : undefined
    if (provenance !== undefined) return void response.end(provenance)
    const file = files.get(path)
    if (file) return sendFile(request, response, file)
    response.writeHead(404).end()
  }

  return {
    url: `http://127.0.0.1:${port}/simple/`,
    requests, headers,
    project(name, given, keys = {}) {
      const listed = given.map((file) => {
        const path = `/packages/${sha256(file.bytes).slice(0, 8)}/${file.filename}`
        files.set(path, file)
        return entry(file, `../..${path}`)
      })
      pages.set(name, JSON.stringify({ meta: { 'api-version': '1.4', '_last-serial': 12 }, name, files: listed, ...keys }))
    },
    remove(name) { pages.delete(name) },
    listAsHtml(html) { listHtml = html },
    break(status) { broken = status },
    cut() { server.closeAllConnections() },
    cacheControl(text) { cacheControl = text },
    silence(on) { silent = on },
    leave,
    async comeBack() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    close: async () => { if (server.listening) await leave() },
  }

  async function leave(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}

function entry({ filename, bytes, metadata, undigested, provenance, keys }: SyntheticFile, url: string): Record<string, unknown> {
  const announced = metadata === undefined ? false : undigested ? true : { sha256: sha256(metadata) }
  return {
    filename, url, 'hashes': { sha256: sha256(bytes) }, 'size': bytes.length, 'upload-time': '2024-05-06T07:08:09.000010Z',
    'core-metadata': announced, 'data-dist-info-metadata': announced, 'yanked': false, 'provenance': provenance === undefined ? null : `${url}.provenance`, ...keys,
  }
}

function sendJson(request: IncomingMessage, response: ServerResponse, body: string): void {
  const etag = `"${sha256(body).slice(0, 22)}"`
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
  response.writeHead(200, { 'content-type': JSON_V1, etag }).end(body)
}

async function sendFile(request: IncomingMessage, response: ServerResponse, { bytes, sent = bytes, stall, ranges, tag, breaks, unsized }: SyntheticFile): Promise<void> {
  const [, from, to] = /^bytes=([0-9]+)-([0-9]*)$/.exec(request.headers.range ?? '') ?? []
  const condition = request.headers['if-range']
  const partial = ranges && from !== undefined && (condition === undefined || condition === tag)
  const [start, end] = partial ? [Number(from), Math.min(to === '' ? Infinity : Number(to), sent.length - 1)] : [0, sent.length - 1]
  if (start > end && partial) return void response.writeHead(416, { 'content-range': `bytes */${sent.length}` }).end()
  const body = sent.subarray(start, end + 1)
  response.writeHead(partial ? 206 : 200, {
    'content-type': 'application/octet-stream',
    ...!unsized && { 'content-length': body.length },
    ...tag !== undefined && { etag: tag },
    ...partial && { 'content-range': `bytes ${start}-${end}/${sent.length}` },
  })
  const cut = breaks?.shift()
  if (cut !== undefined) return void response.write(body.subarray(0, cut), () => response.destroy())
  if (stall) {
    response.write(body.subarray(0, stall.after))
    await stall.until
  }
  response.end(body.subarray(stall?.after ?? 0))
}
