/** A proxy on loopback in front of the machine's real index, which keeps what passes. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js'
import { Agent, request } from 'undici'
import { upstreamCertificates } from '../../src/config/certificates.ts'
import { findUpstream } from '../../src/config/default-upstream.ts'
import { askPip } from '../../src/config/pip.ts'
import { put } from './folder.ts'
import { scrub } from './scrub.ts'

export interface Recorder {
  /** Ends in `/simple/`. */
  url: string
  /** Fetches and keeps a page; whether the index has it. */
  page(project: string): Promise<boolean>
  close(): Promise<void>
}

const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'

/** Only what a clean shell has: other variables may tell lies about the index. */
export function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
}

export async function startRecorder(folder: string): Promise<Recorder> {
  const env = cleanEnvironment()
  const pip = await askPip(env)
  const index = (await findUpstream({ setting: undefined, env, pip })).url.replace(/\/?$/, '/')
  const hosts = new Set([index, await pip?.defaultIndex() ?? index].map((url) => new URL(url).host))
  const dispatcher = new Agent({ connect: { ca: await upstreamCertificates({ setting: undefined, env, pip }) }, allowH2: false })
  const pages = new Map<string, Promise<string | undefined>>()
  const files = new Map<string, Promise<string>>()
  const addresses = new Map<string, string>()

  const server = createServer((asked, response) => {
    const path = new URL(asked.url ?? '/', 'http://upstream.example').pathname
    answer(path, response).catch((error: unknown) => {
      console.error(`  ${path}: ${String(error)}`)
      if (response.headersSent) response.destroy()
      else response.writeHead(502).end(String(error))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`,
    page: async (project) => await page(project) !== undefined,
    async close() {
      server.close()
      server.closeAllConnections()
      await dispatcher.destroy()
    },
  }

  async function answer(path: string, response: ServerResponse): Promise<void> {
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1]
    if (project !== undefined) {
      const text = await page(project)
      return void (text === undefined ? response.writeHead(404).end() : response.writeHead(200, { 'content-type': JSON_PAGE }).end(text))
    }
    const kept = await file(path)
    if (kept === undefined) return void response.writeHead(404).end()
    createReadStream(kept).pipe(response.writeHead(200, { 'content-type': 'application/octet-stream' }))
  }

  function page(project: string): Promise<string | undefined> {
    return onceFor(pages, project, async () => {
      const url = new URL(`${encodeURIComponent(project)}/`, index)
      const found = await get(url, { 'accept': JSON_PAGE, 'accept-encoding': 'gzip' })
      if (found === undefined) return undefined
      const scrubbed = scrub(found.toString(), url, hosts)
      for (const [at, real] of scrubbed.files) addresses.set(at, real)
      await put(join(folder, 'pages', `${project}.json`), scrubbed.text)
      return scrubbed.text
    })
  }

  async function file(path: string): Promise<string | undefined> {
    const real = addresses.get(path)
    return real === undefined ? undefined : await onceFor(files, path, async () => {
      const [, , sha256 = '', name = ''] = path.split('/')
      const kept = join(folder, 'files', sha256, decodeURIComponent(name))
      if (existsSync(kept)) return kept
      const bytes = await get(new URL(real), { 'accept-encoding': 'identity' })
      if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== sha256) throw new Error('the index has no such file')
      const metadata = kept.endsWith('.whl') ? await metadataOf(bytes) : undefined
      if (metadata !== undefined) await put(`${kept}.metadata`, metadata)
      await put(kept, bytes)
      return kept
    })
  }

  async function get(url: URL, headers: Record<string, string>): Promise<Buffer | undefined> {
    const answered = await request(url, { dispatcher, headers: { ...headers, 'user-agent': 'pip/26.0' } })
    if (answered.statusCode === 404) {
      await answered.body.dump()
      return undefined
    }
    if (answered.statusCode !== 200) throw new Error(`the index answered ${answered.statusCode}`)
    const bytes = Buffer.from(await answered.body.arrayBuffer())
    return answered.headers['content-encoding'] === 'gzip' && headers['accept-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
  }
}

/** One run for all who ask for the same; a failure is asked for anew. */
function onceFor<T>(known: Map<string, Promise<T>>, key: string, run: () => Promise<T>): Promise<T> {
  const running = known.get(key) ?? run()
  known.set(key, running)
  running.catch(() => known.delete(key))
  return running
}

async function metadataOf(wheel: Buffer): Promise<string | undefined> {
  const zip = new ZipReader(new BlobReader(new Blob([new Uint8Array(wheel)])))
  const entry = (await zip.getEntries()).find(({ filename }) => /^[^/]+\.dist-info\/METADATA$/.test(filename))
  const text = entry && 'getData' in entry && entry.getData ? await entry.getData(new TextWriter()) : undefined
  await zip.close()
  return text
}
