import type { IncomingHttpHeaders } from 'node:http'

/** What asks for a file or page again only where it is another one by now; undefined where the answer has nothing of the kind. */
export function validatorOf(headers: IncomingHttpHeaders): string | undefined {
  if (headers.etag !== undefined) return headers.etag
  // RFC 9110 section 8.8.2.2: what was written within the second of the answer may be written again within it.
  return headers['last-modified'] === headers.date ? undefined : headers['last-modified']
}

/** RFC 9110 section 8.8.3: an ETag is quoted, behind `W/` if it is weak; anything else is the date of Last-Modified. */
export function conditional(validator: string | undefined): Record<string, string> {
  if (validator === undefined) return {}
  return /^(?:W\/)?"/.test(validator) ? { 'if-none-match': validator } : { 'if-modified-since': validator }
}
