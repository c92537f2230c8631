/** How a request for a wheel that is still being built is kept alive, measured client by client. */
import type { Client } from './client.ts'

export interface HoldPlan {
  /** `100 Continue` this often, so many times at most, while the request is held. */
  interim?: { everyMs: number; count: number }
  /** How long this URL is held. */
  holdMs: number
  /** At the end of the hold: a 307 to the next URL, or the last word (still building). */
  then: 'hop' | 'end'
}

/** Newer Pythons refuse the 100th interim answer to one request; a hop starts a new count. */
const INTERIM = { everyMs: 8_000, count: 90 }

/** Below the 15 seconds after which pip and its like give up on silence. */
const SILENCE_MS = 12_000

/** uv gives up after 30 seconds without a response head, and no interim answer moves that. */
const UV_SILENCE_MS = 25_000

/** Redirects that each client follows, less a margin: pip 30, pdm 20, and uv's eleventh ends in a message about zip files. */
const HOPS = { pip: 28, uv: 10, others: 18 }

/** The clients that were seen to sit through interim answers. */
const PATIENT = ['pip', 'poetry', 'pdm']

/**
 * What to do with a held request. `hop` counts the redirects that led to this URL, 0 for the first one; `direct` says that no
 * proxy stands between (`isDirect`).
 */
export function holdPlan(input: { client: Pick<Client, 'tool'>; direct: boolean; hop: number }): HoldPlan {
  const { tool } = input.client
  const hops = tool === 'pip' ? HOPS.pip : tool === 'uv' ? HOPS.uv : HOPS.others
  const then = input.hop < hops ? 'hop' : 'end'
  if (tool === 'uv') return { holdMs: UV_SILENCE_MS, then }
  if (input.direct && PATIENT.includes(tool)) return { interim: INTERIM, holdMs: INTERIM.everyMs * INTERIM.count, then }
  return { holdMs: SILENCE_MS, then }
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
