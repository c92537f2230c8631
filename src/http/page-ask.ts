/** What a request for a page asks for, and what its answer says of the page: one reading, whichever way the answer goes. */
import type { IncomingHttpHeaders } from 'node:http'
import { LRUCache } from 'lru-cache'
import { type Client, losesHashes, metadataFor, parseUserAgent, sortsYankedLast, targetOf } from '../domain/client.ts'
import { type Coding, negotiateEncoding, negotiatePage, type PageKind } from '../domain/negotiate.ts'
import { parseTarget } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { PageVariant, RenderedPage } from '../services/pages.ts'
import type { TargetsNow } from '../services/ready-targets.ts'
import { asOfDate, type Audience, byViewName, type Listed, type RuleDeps } from './view-audience.ts'

export interface View {
  /** As the router has it, with one parameter at most: `:named`. */
  path: string
  /** The way from a project's page up to the server's root. */
  root: string
  audience: Audience
}

/** Pages must be asked for anew each time: what they promise may have failed or been built meanwhile. */
export const REVALIDATE = 'private, max-age=0, must-revalidate'
/** What the answer for a project's page depends on besides its URL. */
export const PAGE_VARY = ['Accept', 'Accept-Encoding', 'User-Agent']

/** Clients send the same few texts again and again; longer ones than theirs are not worth the memory. */
const TEXTS = 1000
const LONGEST_TEXT = 1024

export interface ViewDeps extends RuleDeps {
  targetsNow: TargetsNow
  /** Names of the configured targets: their views exist before any worker is ready. */
  targets: string[]
  /** Whether the request came under a name under which no build may be started. */
  hostRefused: (host: string | undefined) => boolean
}

/** The views that are served. */
export function createViews({ targetsNow, targets, hostRefused, ...rules }: ViewDeps): View[] {
  /**
   * pip and uv's installing commands on a musl target. Their locking ones, and all others, are better off without promises, and so are
   * those who come under a name under which no build may be started: they take the sdist. What else keeps a request from starting
   * builds is no matter here: installers may, and `Sec-Fetch-Site` comes from browsers alone.
   */
  function byAgent(client: Client, host: string | undefined): Listed {
    if (!client.installs || !client.musl) return { target: undefined }
    const target = targetOf(client, [...targetsNow.ready().keys()].flatMap((name) => parseTarget(name) ?? []))
    return { target: target && !hostRefused(host) ? target : undefined }
  }

  /** Throws `unknown-target`. */
  function byPath(_client: Client, host: string | undefined, named: string): Listed {
    const target = parseTarget(named)
    if (!target || !(targets.includes(named) || targetsNow.ready().has(named))) {
      const known = targets.length > 0 ? `the targets are ${targets.join(', ')}` : 'there is none'
      throw new MuslinError('unknown-target', `${named.slice(0, 60)} is no configured target; ${known}`)
    }
    return { target: hostRefused(host) ? undefined : target }
  }

  /** Requirements of an old sdist's time may be there as wheels of ours alone, which were made today. */
  const nobody: Audience = ({ own }) => ({ target: undefined, asOld: own })

  return [
    { path: '/simple', root: '../../', audience: byAgent },
    { path: '/finished/simple', root: '../../../', audience: nobody },
    { path: '/target/:named/simple', root: '../../../../', audience: byPath },
    { path: '/before/:named/simple', root: '../../../../', audience: asOfDate(rules) },
    { path: '/view/:named/simple', root: '../../../../', audience: byViewName(rules, byAgent) },
    { path: '/view/:named/finished/simple', root: '../../../../../', audience: byViewName(rules, nobody) },
  ]
}

/** The page's variant for this client. Throws `not-acceptable`. */
export function variantOf(view: View, listed: Listed, client: Client, headers: IncomingHttpHeaders, format: string | undefined): PageVariant {
  return {
    ...listed,
    root: view.root,
    format: formatOf(client, headers, format),
    olderBuilds: sortsYankedLast(client) ? 'listed' : 'yanked',
    coding: codingOf(headers),
    metadata: metadataFor(client),
  }
}

/** `format`: the parameter of that name in the URL. Throws `not-acceptable`. */
export function formatOf(client: Client, headers: IncomingHttpHeaders, format: string | undefined): PageKind {
  const kind = kindOf(`${losesHashes(client) ? 'json' : ''}\n${headers.accept ?? ''}\n${format ?? ''}`)
  if (!kind) throw new MuslinError('not-acceptable', 'pages come as application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html or text/html')
  return kind
}

const kindOf = remembered((text) => {
  // A header has no line ends, a parameter may.
  const [unfit, accept, ...format] = text.split('\n')
  return negotiatePage(accept, format.join('\n'), unfit === 'json' ? 'json' : undefined)
})

/** Throws `not-acceptable` where not even the plain bytes are taken (RFC 9110 section 12.5.3). */
export function codingOf(headers: IncomingHttpHeaders): Coding {
  const coding = encodingOf(String(headers['accept-encoding'] ?? ''))
  if (!coding) throw new MuslinError('not-acceptable', 'pages come as zstd, as gzip or as they are; take one of them in Accept-Encoding')
  return coding
}

const encodingOf = remembered(negotiateEncoding)

export function clientOf(headers: IncomingHttpHeaders): Client {
  return agentOf(headers['user-agent'] ?? '')
}

const agentOf = remembered(parseUserAgent)

/** RFC 9110 section 8.8.3.3: a strong tag names these very bytes, so each coding has its own. */
export function tagOf(sha256: string, coding: Coding): string {
  return coding === 'identity' ? sha256 : `${sha256}-${coding}`
}

/** What the answer says of the bytes that it carries, beside their length. */
export function bodyHeaders({ contentType, coding }: Pick<RenderedPage, 'contentType' | 'coding'>): Record<string, string> {
  return { 'Content-Type': contentType, ...coding !== 'identity' && { 'Content-Encoding': coding } }
}

/** What was read from a text, for the texts that come most. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new LRUCache<string, { read: T }>({ max: TEXTS })
  return (text) => {
    const found = known.get(text)
    if (found) return found.read
    const made = read(text)
    if (text.length <= LONGEST_TEXT) known.set(text, { read: made })
    return made
  }
}
