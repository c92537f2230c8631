import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { Clock, Upstream } from '../services/ports.ts'
import { parseAddress } from './address.ts'
import { decoded, ENCODINGS, streamedBody, wholeBody } from './body.ts'
import { refusal } from './failure.ts'
import { fetchFile } from './file.ts'
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

    async page(project, etag, via) {
      const answer = await ask(new URL(`${encodeURIComponent(project)}/`, address.base), JSON_PAGE, etag, via)
      if (answer.status === 404) return instead(answer, { kind: 'absent' } as const)
      if (etag !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged' } as const)
      expectPage(answer)
      const json = await wholeBody(answer, largestPage)
      checkPage(json, answer.url)
      return { kind: 'page', json, etag: answer.headers.etag, url: answer.url.href }
    },

    async list(etag, via) {
      const answer = await ask(address.base, ANY_LIST, etag, via)
      if (etag !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged' } as const)
      const html = answer.status === 200 && isHtml(answer.headers)
      if (!html) expectPage(answer)
      const bytes = decoded(answer)
      const body = streamedBody(html ? Readable.from(listFromHtml(bytes, answer.url), { objectMode: false }) : bytes, answer.url)
      // A generator that nobody has begun lets go of nothing.
      body.once('close', () => bytes.destroy())
      return { kind: 'list', body, etag: answer.headers.etag }
    },

    file: (fileUrl, question) => fetchFile(requests, fileUrl, question),

    close: () => requests.close(),
  }

  async function ask(at: URL, accept: string, etag: string | undefined, via: string | undefined): Promise<Answer> {
    const passed = via === undefined ? instance : `${via}, ${instance}`
    return await requests.getIndex(at, { accept, 'accept-encoding': ENCODINGS, [VIA]: passed, ...(etag !== undefined && { 'if-none-match': etag }) })
  }
}

function expectPage(answer: Answer): void {
  const problem = answer.status === 200 ? refuseHtml(answer) : answer.status === 406 ? refuseHtml(answer, true) : refusal(answer.status, answer.url)
  if (problem) throw instead(answer, problem)
}

function instead<T>(answer: Answer, said: T): T {
  dismiss(answer)
  return said
}
