/** Takes the hosts out of a page before it is kept. */

export interface Scrubbed {
  /** The page's JSON: its files are at `../../files/{sha256}/{filename}`, every host that it or the index is known by is `upstream.example`; all else as it was. */
  text: string
  /** Where each of those files really is, by its new address. */
  files: Map<string, string>
}

interface Listed { filename: string; url: string; hashes: Record<string, string>; provenance?: string | null }

/** `url`: where the page came from. `hosts`: other names that must not be kept. Throws where the text is no JSON page. */
export function scrub(page: string, url: URL, hosts: Set<string>): Scrubbed {
  const { files } = JSON.parse(page) as { files: Listed[] }
  const moved = new Map<string, string>()
  const at = new Map<string, string>()
  const forbidden = new Set([url.host, ...hosts])
  for (const file of files) {
    for (const address of [file.url, file.provenance]) if (address && URL.canParse(address)) forbidden.add(new URL(address).host)
    const { sha256 } = file.hashes
    if (sha256 === undefined) continue
    const path = `files/${sha256}/${encodeURIComponent(file.filename)}`
    moved.set(file.url, `../../${path}`)
    at.set(`/${path}`, new URL(file.url, url).href)
  }
  // By its strings, not by parsing and writing it again: the rest stays byte for byte.
  const text = page.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => {
    const to = moved.get(JSON.parse(literal) as string)
    return to === undefined ? literal : JSON.stringify(to)
  })
  return { text: withoutHosts(text, forbidden), files: at }
}

/** Subdomains of the last two labels too: an index and its files go by several names. */
function withoutHosts(text: string, hosts: Set<string>): string {
  let clean = text
  for (const host of hosts) {
    const name = host.replace(/:\d+$/, '')
    const family = /^[\d.]+$|^\[/.test(name) ? name : name.split('.').slice(-2).join('.')
    clean = clean.replace(new RegExp(`(?:[a-z0-9-]+\\.)*${family.replaceAll('.', '\\.')}(?::\\d+)?`, 'gi'), 'upstream.example')
  }
  return clean
}
