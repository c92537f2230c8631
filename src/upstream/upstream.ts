import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { toldFreshness, type Freshness } from '../domain/freshness.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, Upstream } from '../services/ports.ts'
import { parseAddress } from './address.ts'
import { decoded, ENCODINGS, streamedBody, wholeBody } from './body.ts'
import { conditional, validatorOf } from './conditional.ts'
import { refusal } from './failure.ts'
import { listFromHtml } from './list-html.ts'
import { ANY_LIST, checkPage, isHtml, JSON_PAGE, refuseHtml } from './page.ts'
import type { Answer, Timeouts } from './requests.ts'
import { createRequests, dismiss, VIA } from './requests.ts'

const TIMEOUTS: Timeouts = { connect: 5_000, headers: 20_000, idle: 30_000 }
// PyPI's largest pages are a few MB of JSON.
const LARGEST_PAGE = 64 * 1024 * 1024

/**
 * The client of a simple index. `url` may hold credentials; `ca` are the PEM certificates to trust, Node's own where absent;
 * `instance` names this server to itself. `close` ends its connections.
 */
export function createUpstream({ url, ca, instance, log, clock, timeouts = TIMEOUTS, largestPage = LARGEST_PAGE }: {
  url: string
  ca?: string[] | undefined
  instance: string
  log: Logger
  clock: Clock
  timeouts?: Timeouts
  largestPage?: number
}): Upstream & { close(): Promise<void> } {
  const address = parseAddress(url)
  const requests = createRequests({ address, ca, instance, log, clock, timeouts })

  return {
    label: address.label,

    async page(project, validator, via, reload = false) {
      const { answer, freshness } = await ask(new URL(`${encodeURIComponent(project)}/`, address.base), JSON_PAGE, { validator, via, reload })
      if (answer.status === 404) return instead(answer, { kind: 'absent' } as const)
      if (validator !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged', freshness } as const)
      expectPage(answer)
      const json = await wholeBody(answer, largestPage)
      checkPage(json, answer.url)
      return { kind: 'page', json, validator: validatorOf(answer.headers), url: answer.url.href, freshness }
    },

    async list(validator, via) {
      const { answer, freshness } = await ask(address.base, ANY_LIST, { validator, via })
      if (validator !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged', freshness } as const)
      const html = answer.status === 200 && isHtml(answer.headers)
      if (!html) expectPage(answer)
      const bytes = decoded(answer)
      const body = streamedBody(html ? Readable.from(listFromHtml(bytes, answer.url), { objectMode: false }) : bytes, answer.url)
      // A generator that nobody has begun lets go of nothing.
      body.once('close', () => bytes.destroy())
      return { kind: 'list', body, validator: validatorOf(answer.headers), freshness }
    },

    async file(fileUrl, signal) {
      // Raw bytes, as pip takes them: some servers label a .tar.gz with Content-Encoding, and decoding it would change its digest.
      const answer = await requests.get(parseFileUrl(fileUrl), { 'accept-encoding': 'identity' }, signal)
      if (answer.status !== 200) throw instead(answer, fileRefusal(answer))
      const length = answer.headers['content-length']
      return { body: streamedBody(answer.body, answer.url, { signal }), size: length === undefined ? undefined : Number(length) }
    },

    close: () => requests.close(),
  }

  async function ask(at: URL, accept: string, { validator, via, reload = false }: Asked): Promise<{ answer: Answer; freshness: Freshness | undefined }> {
    const began = clock.now()
    const answer = await requests.getIndex(at, {
      accept, 'accept-encoding': ENCODINGS, [VIA]: via === undefined ? instance : `${via}, ${instance}`, ...conditional(validator),
      // RFC 9111 section 5.4: the second is for caches that are older than the first.
      ...(reload && { 'cache-control': 'no-cache', 'pragma': 'no-cache' }),
    })
    const freshness = toldFreshness(answer.headers, { now: clock.now(), delay: (clock.now() - began) / 1000 })
    return { answer, freshness: freshness.seconds === undefined && freshness.staleWhileRevalidate === 0 ? undefined : freshness }
  }
}

interface Asked { validator: string | undefined; via: string | undefined; reload?: boolean }

function expectPage(answer: Answer): void {
  const problem = answer.status === 200 ? refuseHtml(answer) : answer.status === 406 ? refuseHtml(answer, true) : refusal(answer.status, answer.url)
  if (problem) throw instead(answer, problem)
}

function parseFileUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new MuslinError('upstream-bad-answer', 'the upstream\'s page names a file by what is no http or https URL')
}

function fileRefusal({ status, url }: Answer): MuslinError {
  if (status !== 404 && status !== 410) return refusal(status, url)
  return new MuslinError('no-such-file', `${url.host} answered ${status} for ${url.pathname}: its page names the file, but it is gone there`)
}

function instead<T>(answer: Answer, said: T): T {
  dismiss(answer)
  return said
}
