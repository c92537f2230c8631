import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import { request } from 'undici'
import about from '../../package.json' with { type: 'json' }
import { MuslinError } from '../errors.ts'
import type { Clock } from '../services/ports.ts'
import type { Address } from './address.ts'
import type { Proxies, Timeouts } from './connections.ts'
import { createConnections } from './connections.ts'
import { isReset, upstreamFailure } from './failure.ts'
import { createRest } from './rest.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Dispatcher.ResponseData['body']
  /** Where it came from after redirects. */
  url: URL
}

export interface Requests {
  /** GETs a URL. Throws what is no answer at all; any status is an answer, redirects apart. */
  get(url: URL, headers: Record<string, string>, signal?: AbortSignal): Promise<Answer>
  /** As `get`, for the index itself: throws at once while it rests. */
  getIndex(url: URL, headers: Record<string, string>, signal?: AbortSignal): Promise<Answer>
  close(): Promise<void>
}

/** The header by which a Muslin recognises a question that came from itself, through others maybe. */
export const VIA = 'muslin-via'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 5

/**
 * Sends requests to an upstream, whose address `setting` sets, and to wherever its pages and redirects point: of these only `trusted` origins
 * may be at addresses that are not of the internet. Its credentials go where its address says, never further.
 */
export function createRequests(parts: {
  address: Address
  ca: string[] | undefined
  proxies?: Proxies | undefined
  /** All origins where absent. */
  trusted?: ((url: URL) => boolean) | undefined
  instance: string
  log: Logger
  clock: Clock
  timeouts: Timeouts
  /** Bytes of the longest body; without limit where absent. */
  largest?: number
  setting?: string
  lookup?: LookupFunction | undefined
}): Requests {
  const { address, ca, proxies, trusted = () => true, instance, log, clock, timeouts, largest = -1, setting = 'upstream', lookup } = parts
  const connections = createConnections({ ca, proxies, timeouts, trusted, largest, lookup })
  const unlessResting = createRest({ clock })

  return {
    get: (url, headers, signal) => follow(url, (at) => ask(at, headers, signal)),
    // Where it redirects to may be down, or not to be trusted, for one page alone.
    getIndex: (url, headers, signal) => follow(url, (at) => at.origin === address.base.origin ? unlessResting(() => ask(at, headers, signal)) : ask(at, headers, signal)),
    close: () => connections.close(),
  }

  async function follow(url: URL, askAt: (at: URL) => Promise<Answer>): Promise<Answer> {
    let at = url
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await askAt(at)
      const { location } = answer.headers
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer
      dismiss(answer)
      at = redirected(at, location, setting)
    }
    throw new MuslinError('upstream-bad-answer', `${url.host} redirects ${url.pathname} more than ${MOST_REDIRECTS} times; check the setting ${setting}`)
  }

  async function ask(url: URL, headers: Record<string, string>, signal?: AbortSignal, again = false): Promise<Answer> {
    const began = clock.now()
    const authorization = address.authorization(url)
    try {
      const { statusCode, headers: answered, body } = await request(url, {
        dispatcher: connections.to(url),
        signal: signal ?? null,
        headers: { [VIA]: instance, ...headers, 'user-agent': `muslin/${about.version}`, ...(authorization && { authorization }) },
      })
      log.debug({ url: `${url.origin}${url.pathname}`, status: statusCode, ms: clock.now() - began }, 'upstream answered')
      return { status: statusCode, headers: answered, body, url }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      // A kept connection may have been closed by the other side while it was idle.
      if (!again && isReset(error)) return await ask(url, headers, signal, true)
      throw upstreamFailure(error, url, setting)
    }
  }
}

/** Lets go of an answer whose body nobody reads. A short one is read away, so that its connection can be used again. */
export function dismiss(answer: Answer): void {
  answer.body.dump().catch(() => undefined)
}

function redirected(from: URL, location: string, setting: string): URL {
  const to = URL.parse(location, from)
  const refused = !to || !['http:', 'https:'].includes(to.protocol) ? 'which is no http or https URL'
    : from.protocol === 'https:' && to.protocol === 'http:' ? 'away from https' : undefined
  if (to && refused === undefined) return to
  throw new MuslinError('upstream-bad-answer', `${from.host} redirects ${from.pathname} to ${to ? `${to.protocol}//${to.host}` : 'somewhere'}, ${refused}; check the setting ${setting}`)
}
