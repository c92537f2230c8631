/** How a request for a wheel that is still being built is kept alive, measured client by client. */
import type { Client } from './client.ts'

export interface HoldPlan {
  /** `100 Continue` this often, so many times at most, while the request is held. */
  interim?: { everyMs: number; count: number }
  /** How long this request is held. */
  holdMs: number
  /** At the end of the hold: a 307 to the next URL, a 503 for the same one, or the last word (still building). */
  then: 'hop' | 'retry' | 'end'
}

/** Where a held request stands in its chain of URLs. Times are in milliseconds. */
export interface HoldPlace {
  /** Redirects that led to this URL; 0 for the first one. */
  hop: number
  /** Since this URL was handed out; undefined for the first one, of which nobody knows. */
  ageMs: number | undefined
  /** Since the first URL was asked for. */
  waitedMs: number
}

export interface HoldInput extends HoldPlace {
  client: Pick<Client, 'tool'>
  /** No proxy stands between (`isDirect`). */
  direct: boolean
  /** This process was there when this URL was handed out: whoever met a restart has fewer tries left on it than its age tells. */
  settled: boolean
  /** The longest that a client waits in all, over all its URLs; undefined: as long as it can. */
  holdLimitMs: number | undefined
}

/** Newer Pythons refuse the 100th interim answer to one request; a hop starts a new count. */
const INTERIM = { everyMs: 8_000, count: 90 }

/** Below the 15 seconds after which pip and its like give up on silence. */
const SILENCE_MS = 12_000

/** uv gives up after 30 seconds without a response head, and no interim answer moves that. */
const UV_SILENCE_MS = 25_000

/** Redirects that each client follows, less a margin: pip 30, pdm 20, and uv's eleventh ends in a message about zip files. */
const HOPS = { pip: 28, uv: 10, others: 18 }

/** Seconds after which pip comes back; uv has its own mind about that. */
export const RETRY_AFTER = 1

/**
 * A URL is given up with a 503 while it is younger than this at the end of a hold: by pip four times, by uv twice. Each endures one more, which
 * is left for a restart of the server. Its age alone decides, so that any process counts the same. The first URL tells no age.
 */
const RETRIES_UNTIL_MS = { pip: 4 * (SILENCE_MS + RETRY_AFTER * 1000) + 6_000, uv: 60_000 }

/** The clients that were seen to sit through interim answers. */
const PATIENT = ['pip', 'poetry', 'pdm']

/** What to do with a held request: a pure function of who asks, where in its chain, and the setting `holdLimit`. */
export function holdPlan({ client, direct, settled, hop, ageMs, waitedMs, holdLimitMs }: HoldInput): HoldPlan {
  const { tool } = client
  const by100s = direct && PATIENT.includes(tool)
  const silence = tool === 'uv' ? UV_SILENCE_MS : SILENCE_MS
  const longest = by100s ? INTERIM.everyMs * INTERIM.count : silence
  const left = Math.max(0, (holdLimitMs ?? Infinity) - waitedMs)
  if (left <= longest) return { ...by100s && left > INTERIM.everyMs && { interim: { ...INTERIM, count: Math.ceil(left / INTERIM.everyMs) - 1 } }, holdMs: left, then: 'end' }
  const until = by100s || (tool !== 'pip' && tool !== 'uv') ? undefined : RETRIES_UNTIL_MS[tool]
  // A clock that was set back would hand out 503s without end.
  if (until !== undefined && settled && ageMs !== undefined && ageMs >= 0 && ageMs + longest < until) return { holdMs: longest, then: 'retry' }
  return { ...by100s && { interim: INTERIM }, holdMs: longest, then: mayHop({ client, hop }) ? 'hop' : 'end' }
}

/** Whether this client follows another redirect. */
export function mayHop({ client: { tool }, hop }: Pick<HoldInput, 'client' | 'hop'>): boolean {
  return hop < (tool === 'pip' ? HOPS.pip : tool === 'uv' ? HOPS.uv : HOPS.others)
}

/** A chain of URLs to its end, as a client lives it that comes back after a 503 within `pauseMs`: how many URLs and requests, and how long. */
export function reach(input: Pick<HoldInput, 'client' | 'direct' | 'holdLimitMs'>, pauseMs = RETRY_AFTER * 1000): { urls: number; requests: number; ms: number } {
  let [hop, requests, ms] = [0, 0, 0]
  let issued: number | undefined
  for (;;) {
    const { holdMs, then } = holdPlan({ ...input, settled: true, hop, ageMs: issued === undefined ? undefined : ms - issued, waitedMs: ms })
    requests += 1
    ms += holdMs
    if (then === 'end') return { urls: hop + 1, requests, ms }
    if (then === 'retry') ms += pauseMs
    else [hop, issued] = [hop + 1, ms]
  }
}

/** What a proxy adds. */
const PROXY_HEADERS = /^(?:via|forwarded|x-forwarded-.*|x-real-ip)$/

/**
 * Whether the connection is proven to come from the client itself: interim answers break nginx and others, so a doubt means no.
 * A proxy removes the `Connection: keep-alive` that pip's HTTP library sends; `publicHttps` on a plain listener means that somebody
 * else ends the TLS.
 */
export function isDirect(request: {
  httpVersion: string
  headers: Record<string, string | string[] | undefined>
  tls: boolean
  publicHttps: boolean
  behindProxy: boolean
}): boolean {
  const { httpVersion, headers, tls, publicHttps, behindProxy } = request
  if (behindProxy || httpVersion !== '1.1' || (publicHttps && !tls)) return false
  const sent = Object.entries(headers).filter(([, value]) => value !== undefined).map(([name, value]) => [name.toLowerCase(), String(value)] as const)
  if (sent.some(([name]) => PROXY_HEADERS.test(name))) return false
  return sent.some(([name, value]) => name === 'connection' && value.trim().toLowerCase() === 'keep-alive')
}
