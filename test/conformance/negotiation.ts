/** Which form a client gets, by the text of PEP 691 ("Version + Format Selection", "URL Parameter") and RFC 9110 section 12.5.1. */
import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { servePages } from './pages-server.ts'
import { serveMuslin } from './muslin.ts'
import { syntheticPages } from './synthetic.ts'
import type { Check } from './run.ts'

const JSON_V1 = 'application/vnd.pypi.simple.v1+json'
const HTML_V1 = 'application/vnd.pypi.simple.v1+html'
const HTML = 'text/html'
const LATEST_JSON = 'application/vnd.pypi.simple.latest+json'
const LATEST_HTML = 'application/vnd.pypi.simple.latest+html'

type Form = typeof JSON_V1 | typeof HTML_V1 | typeof HTML | 406

/** Accept, and what it gets. Undefined: no such header. */
const ACCEPTED: [string | undefined, Form][] = [
  // What PEP 691 writes out.
  [JSON_V1, JSON_V1], [HTML_V1, HTML_V1], [HTML, HTML], [LATEST_JSON, JSON_V1], [LATEST_HTML, HTML_V1],
  [`${JSON_V1}, ${HTML_V1};q=0.2, ${HTML};q=0.01`, JSON_V1],
  [`${LATEST_JSON}, ${LATEST_HTML};q=0.2, ${HTML};q=0.01`, JSON_V1],
  // Nothing, or anything: what everybody can read.
  [undefined, HTML], ['', HTML], ['*/*', HTML], ['*/*;q=0.1', HTML], ['text/*', HTML],
  // Weights.
  [`${HTML};q=0.9, ${JSON_V1};q=0.8`, HTML], [`${HTML};q=0.1, ${HTML_V1};q=0.5`, HTML_V1], [`${JSON_V1};q=0.5, ${HTML}`, HTML], [`${HTML};q=0.01,${JSON_V1}`, JSON_V1],
  [`${JSON_V1};q=0, ${HTML}`, HTML], [`${JSON_V1};q=0, */*`, HTML], [`${HTML};q=0, ${HTML_V1};q=0, */*`, JSON_V1], [`${HTML};q=0, */*;q=0.5`, JSON_V1],
  [`*/*;q=0.1, ${JSON_V1}`, JSON_V1], [`${JSON_V1};q=0.001`, JSON_V1], [`${JSON_V1};q=1.000`, JSON_V1], [`text/*;q=0.3, ${HTML};q=0.1, ${HTML_V1};q=0.2`, HTML_V1],
  // Spelling.
  [`${JSON_V1} ; q=0.5 ,\t${HTML} ;q=0.4`, JSON_V1], ['APPLICATION/VND.PYPI.SIMPLE.V1+JSON', JSON_V1], [`${JSON_V1};Q=0.2, ${HTML};q=0.3`, HTML], [`,, ${JSON_V1} ,`, JSON_V1],
  [`${HTML};charset=utf-8`, HTML], ['text/html;level=1;q=0.5', HTML],
  // A browser's.
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', HTML],
  // What is not there.
  ['application/vnd.pypi.simple.v2+json', 406], ['application/json', 406], ['image/png', 406], [`${JSON_V1};q=0`, 406], ['*/*;q=0', 406], [`${HTML};q=0.0`, 406], ['application/vnd.pypi.simple.v2+json, image/*', 406],
  [`application/vnd.pypi.simple.v2+json, ${JSON_V1};q=0.1`, JSON_V1], ['application/vnd.pypi.simple.v2+json, */*;q=0.01', HTML],
]

/** `?format=`, beside any Accept, and what it gets. */
const FORMATS: [string, string | undefined, Form][] = [
  [JSON_V1, HTML, JSON_V1], [HTML_V1, JSON_V1, HTML_V1], [HTML, JSON_V1, HTML], [LATEST_JSON, undefined, JSON_V1], [LATEST_HTML, 'image/png', HTML_V1], ['application/vnd.pypi.simple.v2+json', JSON_V1, 406], ['json', JSON_V1, 406],
]

export async function checkNegotiation(check: Check): Promise<void> {
  const list = JSON.stringify({ meta: { 'api-version': '1.4' }, projects: [{ name: 'example' }] })
  const upstream = await servePages(new Map([['example', Buffer.from(syntheticPages().get('status: active') ?? '')], ['', Buffer.from(list)]]))
  const muslin = await serveMuslin(upstream.url)
  try {
    for (const path of ['simple/example/', 'simple/']) {
      for (const [accept, form] of ACCEPTED) await check(`${path} by Accept ${accept}`, () => expectForm(`${muslin.url}${path}`, accept, form))
      for (const [format, accept, form] of FORMATS) await check(`${path} by format ${format}`, () => expectForm(`${muslin.url}${path}?format=${encodeURIComponent(format)}`, accept, form))
    }
    await check('other spellings of a name are redirected', async () => {
      const answer = await fetch(`${muslin.url}simple/Ex.Ample`, { redirect: 'manual' })
      if (![301, 302, 307, 308].includes(answer.status)) throw new Error(String(answer.status))
      const followed = await fetch(`${muslin.url}simple/EXAMPLE`)
      if (followed.status !== 200 || !followed.url.endsWith('/simple/example/')) throw new Error(`${followed.status} ${followed.url}`)
    })
  } finally {
    await muslin.stop()
    await upstream.close()
  }
}

async function expectForm(url: string, accept: string | undefined, form: Form): Promise<void> {
  // fetch() would name */* where nothing is named.
  const { status, headers, text: body } = await plainGet(url, accept)
  const type = headers['content-type']?.split(';')[0]
  if (form === 406) {
    if (status !== 406) throw new Error(`${status} ${type} instead of 406`)
    return
  }
  if (status !== 200 || type !== form) throw new Error(`${status} ${type} instead of ${form}`)
  if (form === HTML || form === HTML_V1 ? !body.startsWith('<!DOCTYPE html>') : typeof JSON.parse(body) !== 'object') throw new Error(`the body is no ${form}`)
  if (!/\baccept\b/i.test(String(headers.vary))) throw new Error(`Vary is ${headers.vary}: a cache would give everybody this form`)
}

async function plainGet(url: string, accept: string | undefined): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const sent = request(url, { headers: accept === undefined ? {} : { accept } })
  sent.end()
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) }
}
