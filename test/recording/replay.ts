/** Serves a recording as an index at API 1.4 on loopback, out of ready buffers. As a program: see `replay-main.ts`. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { enrich } from './enrich.ts'
import { recordedFiles, recordedPages, RECORDING } from './folder.ts'
import { madeUpNames } from './names.ts'
import { sendFile, type ReplayedFile } from './replay-file.ts'

export interface Conditions {
  /** Milliseconds before each answer. */
  latency: number
  /** Bytes a second on one connection; 0: as fast as it goes. */
  bandwidth: number
  /** Seconds for which it calls a page fresh. */
  maxAge: number
  /** `gone`: refuses connections; `silent`: takes requests and never answers. */
  mode: 'up' | 'gone' | 'silent'
}

export interface MadeUp {
  project: string
  filename: string
  /** Bytes; they are the same each time. */
  size: number
}

export interface Replay {
  /** Ends in `/simple/`. */
  url: string
  /** How often each `GET /path` was asked since the last `reset`. */
  counts: Map<string, number>
  reset(): void
  set(conditions: Partial<Conditions>): Promise<void>
  close(): Promise<void>
}

interface Ready { body: Buffer; gzip: Buffer; etag: string; type: string }

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const HTML_PAGE = 'text/html; charset=UTF-8'

/** `names`: so many made-up names are on the list of projects, beside the recorded ones. `madeUp`: files, and projects, besides the recorded ones. */
export async function startReplay({ folder = RECORDING, port = 0, names = 700_000, madeUp = [], conditions: begun = {} }: {
  folder?: string
  port?: number
  names?: number
  madeUp?: MadeUp[]
  conditions?: Partial<Conditions>
} = {}): Promise<Replay> {
  const conditions: Conditions = { latency: 0, bandwidth: 0, maxAge: 600, mode: 'up', ...begun }
  const pages = new Map<string, { json: Ready; html: Ready }>()
  const files = new Map<string, ReplayedFile>()
  const metadata = new Map<string, Buffer>()
  const counts = new Map<string, number>()
  const sockets = new Set<Socket>()
  let list: Ready | undefined
  await load()

  const server = createServer((request, response) => {
    const path = decodeURI(new URL(request.url ?? '/', 'http://upstream.example').pathname)
    const asked = `${request.method} ${path}`
    counts.set(asked, (counts.get(asked) ?? 0) + 1)
    if (conditions.mode === 'silent') return
    if (conditions.latency === 0) answer(path, request, response)
    else void wait(conditions.latency).then(() => answer(path, request, response))
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(server, port)
  const { port: taken } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${taken}/simple/`,
    counts,
    reset: () => counts.clear(),
    async set(changed) {
      const before = conditions.mode
      Object.assign(conditions, changed)
      if (conditions.mode === before) return
      // What waits for a silent index learns nothing from its coming back.
      for (const socket of sockets) if (conditions.mode !== 'silent') socket.destroy()
      if (conditions.mode === 'gone') await new Promise((resolve) => server.close(resolve))
      else if (before === 'gone') await listen(server, taken)
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }

  async function load(): Promise<void> {
    const recorded = await recordedFiles(folder)
    const texts = new Map<string, Buffer>()
    await Promise.all(recorded.map(async ({ sha256, filename, path }) => {
      const at = `/files/${sha256}/${filename}`
      files.set(at, { sha256, size: (await stat(path)).size, path })
      if (filename.endsWith('.whl')) await readFile(`${path}.metadata`).then((text) => texts.set(at, text), () => undefined)
    }))
    for (const [project, bytes] of await recordedPages(folder)) add(project, bytes, (path) => texts.get(path))
    for (const [project, listed] of Map.groupBy(madeUp, (file) => file.project)) add(project, madeUpPage(project, listed, files), () => undefined)
  }

  function add(project: string, bytes: Buffer, real: (path: string) => Buffer | undefined): void {
    const page = enrich(bytes, real)
    pages.set(project, { json: ready(page.json, JSON_PAGE), html: ready(page.html, HTML_PAGE) })
    for (const [path, text] of page.metadata) metadata.set(path, text)
  }

  function answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const html = !/json|\*\/\*/.test(request.headers.accept ?? '*/*')
    if (path === '/simple/') return sendPage(list ??= ready(listOf([...pages.keys(), ...madeUpNames(names)]), JSON_PAGE), request, response, conditions.maxAge)
    const page = pages.get(/^\/simple\/([^/]+)\/$/.exec(path)?.[1] ?? '')
    if (page) return sendPage(html ? page.html : page.json, request, response, conditions.maxAge)
    const text = metadata.get(path)
    if (text) return void response.writeHead(200, { 'content-type': 'binary/octet-stream', 'content-length': text.length, 'etag': `"${text.length}"` }).end(text)
    const file = files.get(path)
    if (file) return sendFile(file, request, response, conditions.bandwidth)
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404 Not Found')
  }
}

function listen(server: Server, port: number): Promise<unknown> {
  return once(server.listen(port, '127.0.0.1'), 'listening')
}

function ready(text: string, type: string): Ready {
  const body = Buffer.from(text)
  return { body, gzip: gzipSync(body, { level: 6 }), etag: `"${createHash('md5').update(body).digest('base64url')}"`, type }
}

function sendPage({ body, gzip, etag, type }: Ready, request: IncomingMessage, response: ServerResponse, maxAge: number): void {
  const common = { etag, 'cache-control': `max-age=${maxAge}, public`, 'vary': 'Accept, Accept-Encoding' }
  if (request.headers['if-none-match']?.replace(/^W\//, '') === etag) return void response.writeHead(304, common).end()
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const sent = zipped ? gzip : body
  response.writeHead(200, { ...common, 'content-type': type, 'content-length': sent.length, ...zipped && { 'content-encoding': 'gzip' } })
  response.end(request.method === 'HEAD' ? undefined : sent)
}

function listOf(names: string[]): string {
  return JSON.stringify({ meta: { 'api-version': '1.4', '_last-serial': 7 }, projects: names.map((name) => ({ name, '_last-serial': 7 })) })
}

function madeUpPage(project: string, listed: MadeUp[], files: Map<string, ReplayedFile>): Buffer {
  const entries = listed.map(({ filename, size }) => {
    const chunk = createHash('sha512').update(filename).digest()
    const bytes = Buffer.alloc(Math.min(size, 1 << 20), chunk)
    const hash = createHash('sha256')
    for (let left = size; left > 0; left -= bytes.length) hash.update(left < bytes.length ? bytes.subarray(0, left) : bytes)
    const sha256 = hash.digest('hex')
    files.set(`/files/${sha256}/${filename}`, { sha256, size, repeated: bytes })
    return { filename, url: `../../files/${sha256}/${filename}`, hashes: { sha256 }, size, 'requires-python': null, 'upload-time': '2024-05-06T07:08:09.000010Z', 'yanked': false }
  })
  const versions = [...new Set(listed.map(({ filename }) => filename.split('-')[1]))]
  return Buffer.from(JSON.stringify({ meta: { 'api-version': '1.4', '_last-serial': 7 }, name: project, versions, files: entries }))
}
