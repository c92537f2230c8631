/** Which form of a page a client gets: PEP 691 "Version + Format Selection", RFC 9110 section 12.5. */

export type PageKind = 'json' | 'html-v1' | 'html'

/** The Content-Type of each kind. */
export const CONTENT_TYPES: Record<PageKind, string> = {
  'json': 'application/vnd.pypi.simple.v1+json',
  'html-v1': 'application/vnd.pypi.simple.v1+html; charset=utf-8',
  'html': 'text/html; charset=utf-8',
}

/** In the order of our liking: among equals the client gets the form that loses nothing. */
const OFFERS: { kind: PageKind; names: string[] }[] = [
  { kind: 'json', names: ['application/vnd.pypi.simple.v1+json', 'application/vnd.pypi.simple.latest+json'] },
  { kind: 'html-v1', names: ['application/vnd.pypi.simple.v1+html', 'application/vnd.pypi.simple.latest+html'] },
  { kind: 'html', names: ['text/html'] },
]

/**
 * The kind that the Accept header, or the `format` parameter that overrides it (PEP 691 "URL Parameter"), asks for; undefined means
 * 406. A client that names nothing gets HTML: scripts that send `*` parse HTML. `unfit`: a kind that it would misread, and gets only where
 * it takes no other.
 */
export function negotiatePage(accept: string | undefined, format: string | undefined, unfit?: PageKind): PageKind | undefined {
  if (format) return OFFERS.find(({ names }) => names.includes(format.trim().toLowerCase()))?.kind
  if (!accept?.trim()) return 'html'
  const ranges = weighted(accept)
  const judged = OFFERS.map(({ kind, names }) => ({ kind, ...judge(names, ranges) })).filter(({ q }) => q > 0)
  // Among equal weights a type that was named wins over one that a wildcard let in, and text/html among those.
  return judged.toSorted((a, b) => Number(a.kind === unfit) - Number(b.kind === unfit) || b.q - a.q || b.named - a.named || (a.named < 2 ? Number(b.kind === 'html') - Number(a.kind === 'html') : 0))[0]?.kind
}

/** How a page's bytes are sent. */
export type Coding = 'zstd' | 'gzip' | 'identity'

/** In the order of our liking: zstd is as small as gzip, and faster to undo. Each with its names (RFC 9110 section 8.4.1.3 has the second). */
const CODINGS: { coding: Coding; names: string[] }[] = [
  { coding: 'zstd', names: ['zstd'] },
  { coding: 'gzip', names: ['gzip', 'x-gzip'] },
  { coding: 'identity', names: ['identity'] },
]

/**
 * The coding that the Accept-Encoding header likes best (RFC 9110 section 12.5.3); undefined where it refuses all that we have, the plain
 * bytes too. What is not named is not taken, but for the plain bytes, unless `*` speaks for it; gzip is what those expect who send that.
 */
export function negotiateEncoding(header: string | undefined): Coding | undefined {
  const named = weighted(header ?? '')
  const star = named.find(({ name }) => name === '*')?.q
  // The plain bytes are the last resort where nothing is said of them: any coding that was asked for is liked more.
  const unsaid = { zstd: 0, gzip: star ?? 0, identity: star ?? Number.MIN_VALUE }
  const judged = CODINGS.map(({ coding, names }) => ({ coding, q: named.find(({ name }) => names.includes(name))?.q ?? unsaid[coding] }))
  return judged.filter(({ q }) => q > 0).toSorted((a, b) => b.q - a.q)[0]?.coding
}

/** The weight of the most specific range that covers one of the names; `named`: 2 for the type itself, 1 for `text/*`, 0 for anything. */
function judge(names: string[], ranges: { name: string; q: number }[]): { q: number; named: number } {
  const covers = [['*/*'], [`${names[0]!.split('/')[0]}/*`], names]
  for (const named of [2, 1, 0]) {
    const found = ranges.filter(({ name }) => covers[named]!.includes(name))
    if (found.length) return { q: Math.max(...found.map(({ q }) => q)), named }
  }
  return { q: 0, named: 0 }
}

function weighted(header: string): { name: string; q: number }[] {
  return header.slice(0, 4096).split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    const q = parameters.map((parameter) => /^q\s*=\s*(.*)$/.exec(parameter)?.[1]).find((value) => value !== undefined)
    return { name, q: q === undefined ? 1 : /^(?:0(?:\.[0-9]*)?|1(?:\.0*)?)$/.test(q) ? Number(q) : 0 }
  }).filter(({ name }) => name)
}
