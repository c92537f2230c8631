/** The list of projects, as large as the real one, from a made-up upstream: the real one is never asked for it. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { madeUpNames } from '../recording/names.ts'
import { decoded, type Coding } from './coding.ts'
import { serveMuslin, type Served } from './muslin.ts'
import type { Check } from './run.ts'

const MB = 1024 * 1024
/** Bytes that the list may cost beside what the server holds anyway: Node collects read buffers only after some 64 MB of them. The list as objects takes hundreds. */
const MOST_GROWTH = 120 * MB
/** Milliseconds until the first byte of a list that is there. */
const MOST_WAIT = 250
const FRESHNESS = 1
const CODINGS: readonly Coding[] = ['identity', 'gzip', 'zstd']
const JSON_V1 = 'application/vnd.pypi.simple.v1+json'
/** Names that no index should have, and what becomes of them: nothing. */
const ODD = ['', ' ', '..', '../../etc/passwd', '<script>alert(1)</script>', '"><img src=x>', 'a b', '-a', 'a-', '.a', 'пример', '\u202e', 'a\nb', 'a/b', 'a?b', 'a#b', '&amp;', 'x'.repeat(10_000), '__proto__']
const GOOD = ['A', 'Foo.Bar_baz', 'zope.interface', '0', 'a--b', 'constructor']

export async function checkList(check: Check, count: number): Promise<void> {
  const upstream = await serveList(count)
  const muslin = await serveMuslin(upstream.url, '--page-freshness', `${FRESHNESS}s`)
  try {
    await fetch(`${muslin.url}simple/nothing/`)
    await fetch(`${muslin.url}healthz`)
    await muslin.resetPeak()
    const { now: before } = await muslin.memory()
    await bytes(muslin, JSON_V1, 'identity')
    for (const coding of CODINGS) for (const type of [JSON_V1, 'text/html']) await bytes(muslin, type, coding)
    const { peak } = await muslin.memory()
    console.log(`   ${count} names, ${(upstream.body.length / MB).toFixed(0)} MB: memory grew by ${((peak - before) / MB).toFixed(0)} MB at most`)
    await check(`the list of ${count} names takes ${MOST_GROWTH / MB} MB at most`, () => {
      if (peak - before > MOST_GROWTH) throw new Error(`${((peak - before) / MB).toFixed(1)} MB`)
    })
    await check('the JSON is the upstream\'s, byte for byte, in each coding', async () => {
      for (const coding of CODINGS) if (!(await bytes(muslin, JSON_V1, coding)).equals(upstream.body)) throw new Error(coding)
    })
    await check('the HTML links each valid name, and nothing else', async () => {
      for (const coding of CODINGS) expectLinks((await bytes(muslin, 'text/html', coding)).toString(), count)
    })
    await check(`the first byte of each form comes within ${MOST_WAIT} ms, and who holds the list gets no byte`, async () => {
      for (const type of [JSON_V1, 'text/html', 'application/vnd.pypi.simple.v1+html']) for (const coding of CODINGS) await expectFirstByte(muslin, type, coding)
    })
    await check('a stale list is asked for by its ETag, and not transferred again', async () => {
      await wait(FRESHNESS * 1000 + 100)
      const { length } = upstream.statuses
      await bytes(muslin, JSON_V1, 'gzip')
      // It may be revalidated while the older one is served.
      for (let tries = 0; upstream.statuses.length === length && tries < 50; tries++) await wait(100)
      if (upstream.statuses.slice(length).join() !== '304') throw new Error(`the upstream answered ${upstream.statuses.join()}`)
    })
    await check('a hundred clients at once are a hundred right answers', async () => {
      await muslin.resetPeak()
      const digest = sha256(upstream.body)
      const answers = await Promise.all(Array.from({ length: 100 }, async () => sha256(await bytes(muslin, JSON_V1, 'gzip'))))
      if (answers.some((answer) => answer !== digest)) throw new Error('some differ')
      if (upstream.statuses.filter((status) => status === 200).length !== 1) throw new Error(`the upstream answered ${upstream.statuses.join()}`)
    })
  } finally {
    await muslin.stop()
    upstream.close()
  }
}

async function serveList(count: number): Promise<{ url: string; body: Buffer; statuses: number[]; close(): void }> {
  const names = [...GOOD, ...ODD, ...madeUpNames(count)]
  const body = Buffer.from(`{"meta": {"api-version": "1.4", "_last-serial": 99999999999999999999}, "projects": [\n${names.map((name) => `{"_last-serial": 1.0, "name": ${JSON.stringify(name)}}`).join(',\n')}], "x": {"projects": [{"name": "not-this"}]}}`)
  const etag = `"${sha256(body).slice(0, 20)}"`
  const statuses: number[] = []
  const server = createServer((asked, response: ServerResponse) => {
    if (asked.url !== '/simple/') return void response.writeHead(404).end()
    const held = asked.headers['if-none-match'] === etag
    statuses.push(held ? 304 : 200)
    if (held) return void response.writeHead(304, { etag }).end()
    response.writeHead(200, { etag, 'content-type': JSON_V1 })
    Readable.from(pieces(body), { objectMode: false }).pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`, body, statuses,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Of a length that cuts names and characters anywhere. */
function* pieces(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 40_009) yield body.subarray(at, at + 40_009)
}

/** What a form of the list is once its coding is undone. */
async function bytes(muslin: Served, accept: string, coding: Coding): Promise<Buffer> {
  // fetch() undoes codings by itself; here the bytes of the wire are wanted.
  const answer = await get(muslin, { accept, 'accept-encoding': coding })
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} for ${accept} in ${coding}`)
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  const sent = Buffer.concat(chunks)
  if (Number(answer.headers['content-length']) !== sent.length) throw new Error(`Content-Length is ${answer.headers['content-length']} of ${sent.length}`)
  return decoded(sent, answer.headers['content-encoding'], coding)
}

async function expectFirstByte(muslin: Served, accept: string, coding: string): Promise<void> {
  let best = Infinity
  let etag = ''
  // The best of some: on a busy machine one waits for its turn.
  for (let tries = 0; tries < 10 && best > MOST_WAIT; tries++) {
    const began = performance.now()
    const answer = await get(muslin, { accept, 'accept-encoding': coding })
    await once(answer, 'readable')
    best = Math.min(best, performance.now() - began)
    etag = String(answer.headers.etag)
    answer.destroy()
  }
  if (best > MOST_WAIT) throw new Error(`${accept} in ${coding}: ${best.toFixed(0)} ms`)
  const held = await get(muslin, { accept, 'accept-encoding': coding, 'if-none-match': etag })
  held.resume()
  if (held.statusCode !== 304) throw new Error(`${accept} in ${coding}: ${held.statusCode} for its own ETag ${etag}`)
}

async function get(muslin: Served, headers: Record<string, string>): Promise<IncomingMessage> {
  const sent = request(`${muslin.url}simple/`, { headers })
  sent.end()
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  return answer
}

function expectLinks(html: string, count: number): void {
  const found = [...html.matchAll(/<a href="([^"<>&]*)">([^<>&]*)<\/a><br>\n/g)].map(([, href, name]) => `${href} ${name}`)
  const expected = [...GOOD, ...madeUpNames(count)].map((name) => `${name.toLowerCase().replaceAll(/[-_.]+/g, '-')}/ ${name}`)
  const wrong = expected.findIndex((line, index) => line !== found[index])
  if (wrong >= 0 || found.length !== expected.length) throw new Error(`${found.length} links instead of ${expected.length}; the first that is wrong: ${found[wrong]} instead of ${expected[wrong]}`)
  const rest = html.replaceAll(/<a href="[^"<>&]*">[^<>&]*<\/a><br>\n/g, '')
  const tags = [...rest.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('')
  const frame = '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="pypi:repository-version" content="1.4"><title></title></head><body><h1></h1></body></html>'
  if (tags !== frame) throw new Error(`besides the links there is ${tags.slice(0, 500)}`)
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
