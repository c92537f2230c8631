import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import { Agent, buildConnector, EnvHttpProxyAgent, Pool } from 'undici'
import { guardedConnector, refuseLocalHost } from './guard.ts'

/** The HTTP proxies to go through, by the scheme of what is asked for. Their URLs may hold credentials: never print them. */
export interface Proxies {
  http: string | undefined
  https: string | undefined
  /** Hosts that are asked directly, as NO_PROXY lists them. */
  bypass: string
}

/** Milliseconds. */
export interface Timeouts {
  connect: number
  /** Until the head of the answer. */
  headers: number
  /** Between two pieces of the body. */
  idle: number
  /** For the whole of a page; only the others count where absent. */
  page?: number
  /** For the whole list of projects, likewise. */
  list?: number
}

export interface Connections {
  /**
   * What sends a request for a URL. One of a trusted origin may be anywhere; any other must be at an address of the internet, or
   * `upstream-forbidden` is thrown: here, or when it is connected to.
   */
  to(url: URL): Dispatcher
  close(): Promise<void>
}

/** The connections for one upstream: its CAs, its proxies, and the guard for where its pages and redirects lead. */
export function createConnections({ ca, proxies, timeouts, trusted, largest, lookup }: {
  /** PEM texts; Node's own where absent. */
  ca: string[] | undefined
  proxies?: Proxies | undefined
  timeouts: Timeouts
  trusted: (url: URL) => boolean
  /** No body is longer, in bytes; -1 for no limit. */
  largest: number
  lookup?: LookupFunction | undefined
}): Connections {
  const tls = { timeout: timeouts.connect, allowH2: false, ...(ca && { ca }) }
  const connectors = { open: buildConnector(tls), guarded: guardedConnector(tls, lookup) }
  const agents = new Map<string, Dispatcher>()

  return {
    to(url) {
      const kind = trusted(url) ? 'open' : 'guarded'
      // Behind a proxy no name is looked up here: what can be told from the URL alone is all that can be.
      if (kind === 'guarded') refuseLocalHost(url)
      const proxy = url.protocol === 'https:' ? proxies?.https : proxies?.http
      const key = `${kind} ${proxy ?? ''}`
      const known = agents.get(key) ?? agent(connectors[kind], proxy)
      agents.set(key, known)
      return known
    },
    close: async () => { await Promise.all([...agents.values()].map((each) => each.destroy())) },
  }

  function agent(connect: buildConnector.connector, proxy: string | undefined): Dispatcher {
    const options = {
      connect,
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.idle,
      keepAliveTimeout: 30_000,
      maxResponseSize: largest,
      // One connection a request: a slow reader of a big file then holds up nobody else.
      allowH2: false,
    }
    if (proxy === undefined) return new Agent(options)
    return new EnvHttpProxyAgent({
      ...options,
      httpProxy: proxy, httpsProxy: proxy, noProxy: proxies?.bypass ?? '',
      requestTls: tls, proxyTls: tls,
      // undici gives a proxy that says nothing to CONNECT five minutes.
      clientFactory: (origin, given) => new Pool(origin, { ...given, headersTimeout: timeouts.headers }),
    })
  }
}
