/** The upstream's address, taken apart. */
export interface Address {
  /** Of the index, ending in `/`, without credentials. */
  base: URL
  /** For people: the address without credentials. */
  label: string
  /** The Authorization header for a URL, if the credentials are meant for it. */
  authorization(url: URL): string | undefined
}

/**
 * Splits an index URL. Its credentials go to its own scheme, host and port only, and there to the folder that holds the index,
 * since indexes serve their files beside it (`…/simple/` and `…/files/`).
 */
export function parseAddress(text: string): Address {
  const base = new URL(text)
  const credentials = base.username === '' && base.password === '' ? undefined : `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
  base.username = ''
  base.password = ''
  base.search = ''
  base.hash = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  const folder = new URL('..', base).pathname
  const header = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  return {
    base,
    label: base.href,
    authorization: (url) => url.origin === base.origin && url.pathname.startsWith(folder) ? header : undefined,
  }
}
