/** A loopback index in front of the machine's real upstream: passes everything on, adds projects of the test's own, can be closed, cut and slowed. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { upstreamCertificates } from '../../src/config/certificates.ts'
import { findUpstream } from '../../src/config/default-upstream.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import type { Sdist } from './sdists.ts'

export interface Relay {
  url: string
  /** Paths asked for, oldest first. */
  requests: string[]
  /** Adds a project, or releases to one that it added. */
  add(...sdists: Sdist[]): void
  /** Files of the real upstream's pages that are left out. */
  hide: (filename: string) => boolean
  /** Called before each file's body; resolves when it may go on. */
  onFile: (path: string, response: ServerResponse) => Promise<void>
  close(): Promise<void>
}

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'

/** On loopback, unless containers of the test must reach it: then `host` is an address of this machine that they see. */
export async function startRelay({ host = '127.0.0.1' }: { host?: string } = {}): Promise<Relay> {
  const own = new Map<string, Sdist[]>()
  const pages = new Map<string, RealPage>()
  const real = await realUpstream()
  const relay: Relay = { url: '', requests: [], hide: () => false, add, onFile: async () => undefined, close }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(502)
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the relay has no port')
  relay.url = `http://${host}:${address.port}/simple/`
  return relay

  function add(...sdists: Sdist[]): void {
    for (const sdist of sdists) own.set(sdist.project, [...(own.get(sdist.project) ?? []), sdist])
  }

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    relay.requests.push(path)
    const page = /^\/simple\/([^/]+)\/$/.exec(path)
    if (page?.[1]) return await answerPage(page[1], response)
    await relay.onFile(path, response)
    const mine = [...own.values()].flat().find((sdist) => path === `/own/${sdist.filename}`)
    if (mine) return void response.writeHead(200, { 'content-length': mine.bytes.length }).end(mine.bytes)
    const passed = /^\/real\/([^/]+)\//.exec(path)
    if (!passed?.[1]) return void response.writeHead(404).end()
    // PEP 658: a file's metadata lies behind its own URL.
    const file = await real.file(Buffer.from(passed[1], 'base64url').toString() + (path.endsWith('.metadata') ? '.metadata' : ''))
    response.writeHead(200, file.size === undefined ? {} : { 'content-length': file.size })
    for await (const chunk of Readable.from(file.body)) if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
    response.end()
  }

  async function answerPage(project: string, response: ServerResponse): Promise<void> {
    const mine = own.get(project)
    if (mine) {
      const files = mine.map((sdist) => ({ filename: sdist.filename, url: `/own/${sdist.filename}`, hashes: { sha256: sdist.sha256 }, size: sdist.bytes.length, 'upload-time': '2023-11-14T22:13:20Z' }))
      return void response.writeHead(200, { 'content-type': JSON_PAGE }).end(JSON.stringify({ meta: { 'api-version': '1.1' }, name: project, files, versions: mine.map((sdist) => sdist.version) }))
    }
    const json = await realPage(project)
    if (!json) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': JSON_PAGE }).end(JSON.stringify({ ...json, files: json.files.filter((file) => !relay.hide(file.filename)) }))
  }

  /** Asked for once: a scenario has one answer to rely on, and no wait for the same answer again. */
  async function realPage(project: string): Promise<RealPage | undefined> {
    const known = pages.get(project)
    if (known) return known
    const page = await real.page(project)
    if (page.kind !== 'page') return undefined
    const json = JSON.parse(page.json.toString()) as RealPage
    for (const file of json.files) file.url = `/real/${Buffer.from(new URL(file.url, page.url).href).toString('base64url')}/${file.filename}`
    pages.set(project, json)
    return json
  }
}

interface RealPage { files: { url: string; filename: string }[] }

/** What pip on this machine uses. */
export async function realUpstream(): Promise<Upstream> {
  const { url } = await findUpstream({ setting: undefined })
  return createUpstream({ url, ca: await upstreamCertificates({ setting: undefined }), instance: 'relay', log: pino({ level: 'silent' }), clock: { now: () => Date.now(), sleep: async () => undefined } })
}
