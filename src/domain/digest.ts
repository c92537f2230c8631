/** Digests in the page model. */
import type { IndexFile } from './page.ts'

/** The sha256 of a listed file, in lower case; undefined where the page gives none that could be one. */
export function sha256Of(file: Pick<IndexFile, 'hashes'>): string | undefined {
  // The upstream's JSON is kept as it came: the key may be missing in spite of PEP 691.
  const hashes = file.hashes as IndexFile['hashes'] | null | undefined
  const found: unknown = hashes?.['sha256']
  return typeof found === 'string' && isSha256(found) ? found.toLowerCase() : undefined
}

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text)
}
