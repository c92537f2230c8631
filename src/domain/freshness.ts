/** How long an answer may be used by the word of who gave it (RFC 9111, RFC 5861). Seconds from when it came here. */
export interface Freshness {
  /** How long nobody needs to ask again; undefined where nothing is said of it. */
  seconds: number | undefined
  /** How much longer it may be served while somebody asks. */
  staleWhileRevalidate: number
}

/** Of who says nothing. */
export const NOTHING_SAID: Freshness = { seconds: undefined, staleWhileRevalidate: 0 }

/** Of an answer that was made of several: as long as all of them may be used. Undefined where one says nothing. */
export function briefest(all: (Freshness | undefined)[]): Freshness | undefined {
  const told = all.filter((each) => each !== undefined)
  if (told.length === 0 || told.length < all.length) return undefined
  const seconds = told.map((each) => each.seconds).filter((each) => each !== undefined)
  return { seconds: seconds.length < told.length ? undefined : Math.min(...seconds), staleWhileRevalidate: Math.min(...told.map((each) => each.staleWhileRevalidate)) }
}

type Headers = Record<string, string | string[] | undefined>

/** RFC 9111 section 1.2.2: what is larger is taken for this. */
const MOST = 2 ** 31
/** What a cache on the way hands out although its time is over it would hand out again: it is not asked at every request. */
const LEAST = 10
/** An answer without these may still be kept for when the upstream is gone: nothing that was seen is lost. */
const ASK_ALWAYS = ['no-cache', 'no-store', 'private']

/**
 * What an answer's headers say of its freshness, to a shared cache. `delay` is how many seconds it took to come; `now`, in milliseconds,
 * stands in for a missing Date. Never throws: what cannot be read counts as stale (RFC 9111 section 4.2.1).
 */
export function toldFreshness(headers: Headers, { now, delay }: { now: number; delay: number }): Freshness {
  const directives = parseCacheControl(joined(headers['cache-control']))
  if (ASK_ALWAYS.some((name) => directives.get(name) === '')) return { seconds: 0, staleWhileRevalidate: 0 }
  const lifetime = lifetimeOf(directives, headers, now)
  // RFC 9111 section 5.2.2.10: s-maxage forbids stale answers too, but who says stale-while-revalidate beside it means that.
  const stale = directives.has('must-revalidate') || directives.has('proxy-revalidate') ? 0 : seconds(directives.get('stale-while-revalidate')) ?? 0
  if (lifetime === undefined) return { seconds: undefined, staleWhileRevalidate: stale }
  // Section 4.2.3 without the apparent age: nobody knows that both clocks are right.
  const age = (seconds(joined(headers['age'])?.split(',')[0]?.trim()) ?? 0) + Math.max(0, delay)
  const left = Math.max(lifetime - age, Math.min(lifetime, LEAST))
  return { seconds: Math.floor(left), staleWhileRevalidate: Math.floor(Math.max(0, lifetime + stale - age - left)) }
}

/**
 * What becomes of that here, in seconds from when the answer came: until `quiet` the upstream is not asked, until `usable` nobody waits for
 * what it says. `most` bounds the first, and stands for what was not said.
 */
export function periods({ seconds: told, staleWhileRevalidate }: Freshness, most: number): { quiet: number; usable: number } {
  return { quiet: Math.min(told ?? most, most), usable: (told ?? most) + staleWhileRevalidate }
}

/** RFC 9111 section 4.2.1: the first that is there counts. */
function lifetimeOf(directives: Map<string, string>, headers: Headers, now: number): number | undefined {
  for (const name of ['s-maxage', 'max-age']) {
    if (directives.has(name)) return seconds(directives.get(name)) ?? 0
  }
  const expires = joined(headers['expires'])
  if (expires === undefined) return undefined
  const until = httpDate(expires)
  if (until === undefined) return 0
  return Math.min(MOST, Math.max(0, (until - (httpDate(joined(headers['date']) ?? '') ?? now)) / 1000))
}

const DIRECTIVE = /([^\s,;="]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;]*))?/g

/** Name in small letters → value without quotes, empty where it has none. Of several of one name the first counts. */
function parseCacheControl(text: string | undefined): Map<string, string> {
  const directives = new Map<string, string>()
  for (const [, name = '', value = ''] of (text ?? '').matchAll(DIRECTIVE)) {
    const known = name.toLowerCase()
    if (!directives.has(known)) directives.set(known, value.replace(/^"(.*)"$/s, '$1'))
  }
  return directives
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), MOST) : undefined
}

/** RFC 9110 section 5.6.7: each of its three forms begins with a day of the week, and is in GMT even where that is not said. */
function httpDate(text: string): number | undefined {
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined
  const time = Date.parse(/GMT$/i.test(text) ? text : `${text} GMT`)
  return Number.isNaN(time) ? undefined : time
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
