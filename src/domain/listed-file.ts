/** What of a page's files a server needs to know to serve them. */
import { sha256Of } from './digest.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { uploadTimeOf } from './policy.ts'

/** A file as a page names it. */
export interface ListedFile {
  sha256: string
  filename: string
  /** Absolute. */
  url: string
  /** sha256 of its `.metadata`; the empty string where the page announces one without a digest; undefined where it has none. */
  metadata: string | undefined
  /** Bytes, as its page says; undefined where it does not. */
  size?: number | undefined
  /** When the upstream says that it was uploaded, milliseconds since 1970; undefined where its page says nothing. */
  uploadedAt?: number | undefined
}

/** Files of a page that can be served under their digest; the others keep the upstream's URL on the page. */
export function listedFiles(page: ProjectPage, pageUrl: string): ListedFile[] {
  return page.files.flatMap((file) => {
    const sha256 = sha256Of(file)
    const url = absolute(file.url, pageUrl)
    if (!sha256 || !url) return []
    return [{ sha256, filename: file.filename, url, metadata: announcedMetadata(file), size: sizeOf(file), uploadedAt: uploadTimeOf(file) }]
  })
}

/** What a URL parser would leave as it is: no port, no escape, no folder that begins with a dot. */
const PLAIN_URL = /^https:\/\/[a-z][a-z0-9]*(?:[.-][a-z][a-z0-9]*)+\/(?:[\w+~-][\w.+~-]*\/)*[\w+~-][\w.+~-]*$/

/** Of a text of megabytes a pattern may exhaust the stack. */
const LONGEST_PLAIN = 2048

/** Undefined where it is no URL. Thousands are looked at while a client waits for the page. */
function absolute(url: string, pageUrl: string): string | undefined {
  return url.length < LONGEST_PLAIN && PLAIN_URL.test(url) ? url : URL.parse(url, pageUrl)?.href
}

/** PEP 700: a page is a stranger's text. */
function sizeOf({ size }: IndexFile): number | undefined {
  return Number.isSafeInteger(size) && Number(size) >= 0 ? Number(size) : undefined
}

/** PEP 714: the older key counts only where the newer one is missing. */
function announcedMetadata(file: IndexFile): string | undefined {
  const told = file['core-metadata'] ?? file['dist-info-metadata']
  if (!told) return undefined
  return (typeof told === 'object' ? sha256Of({ hashes: told }) : undefined) ?? ''
}
