import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { toldFreshness, type Freshness } from '../domain/freshness.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, SideThread, Upstream } from '../services/ports.ts'
import { parseAddress } from './address.ts'
import { decoded, ENCODINGS, streamedBody, wholeBody } from './body.ts'
import { conditional, validatorOf } from './conditional.ts'
import { refusal } from './failure.ts'
import { fetchFile } from './file.ts'
import { listFromHtml } from './list-html.ts'
import type { Proxies, Timeouts } from './connections.ts'
import { ACCEPT, readPage, sniff } from './page.ts'
import type { Answer } from './requests.ts'
import { createRequests, dismiss, VIA } from './requests.ts'

const TIMEOUTS: Timeouts = { connect: 5_000, headers: 20_000, idle: 30_000, page: 60_000, list: 600_000 }
// PyPI's largest pages are a few MB of JSON.
const LARGEST_PAGE = 64 * 1024 * 1024
/** PyPI's list, ten times over, decoded. */
const LARGEST_LIST = 512 * 1024 * 1024
/** Twenty times PyPI's largest file: what does not end must not fill the disk. */
const LARGEST_FILE = 64 * 1024 ** 3

export interface UpstreamInput {
  /** May hold credentials. */
  url: string
  /** What it is set by, for errors. */
  setting?: string
  /** The PEM certificates to trust, Node's own where absent. */
  ca?: string[] | undefined
  proxies?: Proxies | undefined
  /** What may be at an address that is none of the internet, beside the index's own origin. */
  trusted?: ((url: URL) => boolean) | undefined
  /** Whether its pages may name a file at a URL; any where absent. */
  mayName?: ((file: URL) => boolean) | undefined
  /** This server, as it names itself to others of its kind. */
  instance: string
  log: Logger
  clock: Clock
  timeouts?: Timeouts
  /** Bytes. */
  largestPage?: number
  largestList?: number
  largestFile?: number
  lookup?: LookupFunction | undefined
  /** Where big pages are read; here where there is none. */
  thread?: SideThread | undefined
}

/** The client of one simple index. `close` ends its connections. */
export function createUpstream(input: UpstreamInput): Upstream & { close(): Promise<void> } {
  const { url, setting = 'upstream', ca, proxies, trusted = () => false, mayName, instance, log, clock, lookup, thread } = input
  const { timeouts = TIMEOUTS, largestPage = LARGEST_PAGE, largestList = LARGEST_LIST, largestFile: largest = LARGEST_FILE } = input
  const address = parseAddress(url)
  const isTrusted = (at: URL): boolean => at.origin === address.base.origin || trusted(at)
  const requests = createRequests({ address, ca, proxies, trusted: isTrusted, instance, log, clock, timeouts, largest, setting, lookup })

  return {
    label: address.label,

    async page(project, validator, via, reload = false) {
      return await inTime(timeouts.page, address.base, async (signal) => {
        const { answer, freshness } = await ask(new URL(`${encodeURIComponent(project)}/`, address.base), { validator, via, reload, signal })
        if (answer.status === 404) return instead(answer, { kind: 'absent' } as const)
        if (validator !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged', freshness } as const)
        expectPage(answer, setting)
        const bytes = await wholeBody(answer, largestPage)
        const read = await readPage(bytes, { project, url: answer.url, mayName, setting, thread })
        return { kind: 'page', ...read, validator: validatorOf(answer.headers), url: answer.url.href, freshness }
      })
    },

    async list(validator, via) {
      const { signal, end } = timeLimit(timeouts.list, address.base, 'its list of projects')
      const { answer, freshness } = await ask(address.base, { validator, via, signal })
      if (validator !== undefined && answer.status === 304) return instead(answer, { kind: 'unchanged', freshness } as const)
      expectPage(answer, setting)
      const bytes = decoded(answer)
      const body = streamedBody(Readable.from(jsonList(bytes, answer.url, largestList), { objectMode: false }), answer.url, { signal })
      body.once('close', () => {
        end()
        // A generator that nobody has begun lets go of nothing.
        bytes.destroy()
      })
      return { kind: 'list', body, validator: validatorOf(answer.headers), freshness }
    },

    file: (fileUrl, question) => fetchFile(requests, fileUrl, question),

    close: () => requests.close(),
  }

  async function ask(at: URL, { validator, via, reload = false, signal }: Asked): Promise<{ answer: Answer; freshness: Freshness | undefined }> {
    const began = clock.now()
    const answer = await requests.getIndex(at, {
      'accept': ACCEPT, 'accept-encoding': ENCODINGS, [VIA]: via === undefined ? instance : `${via}, ${instance}`,
      // Who reloads may do so because the validator does not tell what changed.
      ...conditional(reload ? undefined : validator),
      // RFC 9111 section 5.4: the second is for caches that are older than the first.
      ...(reload && { 'cache-control': 'no-cache', 'pragma': 'no-cache' }),
    }, signal)
    const freshness = toldFreshness(answer.headers, { now: clock.now(), delay: (clock.now() - began) / 1000 })
    return { answer, freshness: freshness.seconds === undefined && freshness.staleWhileRevalidate === 0 ? undefined : freshness }
  }
}

interface Asked { validator: string | undefined; via: string | undefined; reload?: boolean; signal?: AbortSignal | undefined }

/** Runs `work` with a signal that ends it after `ms`: a page whose pieces keep coming, one by one, is given up too. */
async function inTime<T>(ms: number | undefined, at: URL, work: (signal?: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, end } = timeLimit(ms, at, 'its page')
  try {
    return await work(signal)
  } finally {
    end()
  }
}

/** A signal that aborts after `ms`, unless `end` is called before. */
function timeLimit(ms: number | undefined, { host }: URL, what: string): { signal: AbortSignal | undefined; end: () => void } {
  if (ms === undefined) return { signal: undefined, end: () => undefined }
  const ended = new AbortController()
  const reason = new MuslinError('upstream-timeout', `${host} did not send ${what} within ${ms / 1000} seconds; try again, or check this machine's network`)
  // What ended early needs no word: the signal is then nobody's.
  const timer = setTimeout(() => ended.abort(reason), ms).unref()
  return { signal: ended.signal, end: () => clearTimeout(timer) }
}

function expectPage(answer: Answer, setting: string): void {
  if (answer.status !== 200) throw instead(answer, refusal(answer.status, answer.url, setting))
}

/** A list in JSON as it is, one in HTML as JSON; what it is tell its first bytes. Throws beyond `largest` bytes. */
async function* jsonList(bytes: Readable, url: URL, largest: number): AsyncGenerator<Buffer> {
  const pieces = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await pieces.next()
  const kind = first.done ? undefined : sniff(first.value)
  if (kind === undefined) throw new MuslinError('upstream-bad-answer', `${url.host}${url.pathname} is no list of projects; check the setting upstream`)
  const all = { async* [Symbol.asyncIterator]() {
    let size = 0
    for (let next = first; !next.done; next = await pieces.next()) {
      size += next.value.length
      if (size > largest) throw new MuslinError('upstream-bad-answer', `the list of projects at ${url.host}${url.pathname} is larger than ${largest} bytes`)
      yield next.value
    }
  } }
  if (kind === 'html') yield* listFromHtml(all, url)
  else yield* all
}

function instead<T>(answer: Answer, said: T): T {
  dismiss(answer)
  return said
}
