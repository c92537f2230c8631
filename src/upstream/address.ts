/** The upstream's address, taken apart. */
export interface Address {
  /** Of the index, ending in `/`, without credentials. */
  base: URL
  /** The path of the folder that holds the index, ending in `/`. */
  folder: string
  /** For people: the address without credentials. */
  label: string
  /** Whether a URL is of its own scheme, host and port, and there in the folder that holds the index: its files are there. */
  covers(url: URL): boolean
  /** The Authorization header for a URL, if the credentials are meant for it. */
  authorization(url: URL): string | undefined
}

/** `..` behind an encoded slash, which some servers decode before they look for a file. */
const LEAVES = /%2f\.\.|\.\.%2f|%5c/i

/**
 * Splits an index URL. Its credentials go to its own scheme, host and port only, and there to the folder that holds the index,
 * since indexes serve their files beside it (`…/simple/` and `…/files/`).
 */
export function parseAddress(text: string): Address {
  const base = new URL(text)
  const credentials = base.username === '' && base.password === '' ? undefined : `${decoded(base.username)}:${decoded(base.password)}`
  base.username = ''
  base.password = ''
  base.search = ''
  base.hash = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  const folder = new URL('..', base).pathname
  const header = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const covers = (url: URL): boolean => url.origin === base.origin && url.pathname.startsWith(folder)
  return {
    base,
    folder,
    label: base.href,
    covers,
    authorization: (url) => covers(url) && !LEAVES.test(url.pathname) ? header : undefined,
  }
}

/** A `%` may stand for itself: nobody checks what people write there. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
