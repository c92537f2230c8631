import { MuslinError } from '../errors.ts'

// Without WebSocket and all that stands behind it, which an import of `node:http` loads.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

// undici's and Node's codes for an answer that did not come in time.
const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])
const RESETS = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])
const CERTIFICATES = /CERT|^ERR_TLS|ISSUER|SIGNATURE/
const UNREADABLE = /^(HPE_|Z_|ZSTD_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)/

/** What broke a request to the upstream, or the body of its answer, as an error for people. `setting` is what its address is set by. */
export function upstreamFailure(error: unknown, url: URL, setting = 'upstream'): MuslinError {
  if (error instanceof MuslinError) return error
  const code = codeOf(error)
  const why = code || (error instanceof Error ? error.message : String(error))
  const options = { cause: error }
  if (TIMEOUTS.has(code)) return new MuslinError('upstream-timeout', `${url.host} did not answer in time (${code}); try again, or check this machine's network`, options)
  if (CERTIFICATES.test(code)) return new MuslinError('upstream-unreachable', `the certificate of ${url.host} is not trusted (${code}); name its CA's file by the setting upstreamCa, or by ca in the upstream's own table`, options)
  if (UNREADABLE.test(code)) return new MuslinError('upstream-bad-answer', `the answer of ${url.host} cannot be read (${code}); check the setting ${setting}`, options)
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return new MuslinError('upstream-bad-answer', `the answer of ${url.host} does not end (${code}); check the setting ${setting}`, options)
  if (isOfProxy(error, code)) return new MuslinError('upstream-unreachable', `the HTTP proxy on the way to ${url.host} refused (${proxySaid(error)}); check the settings of the proxy and its credentials`, options)
  if (RESETS.has(code)) return new MuslinError('upstream-unreachable', `${url.host} closed the connection before its answer was whole (${code}); try again`, options)
  return new MuslinError('upstream-unreachable', `${url.host} cannot be reached (${why}); check the setting ${setting} and this machine's network`, options)
}

/** Whether the connection went away: on a connection that was used before, that says nothing about the request. */
export function isReset(error: unknown): boolean {
  return RESETS.has(codeOf(error))
}

/** An answer that is none of those a request was made for. */
export function refusal(status: number, url: URL, setting = 'upstream'): MuslinError {
  const said = `${url.host} answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd() + ` for ${url.pathname}`
  if (status === 508) return new MuslinError('loop', `${url.origin} is this server itself, or leads back to it; set ${setting} to another address`)
  if (status === 401 || status === 403) return new MuslinError('upstream-refused', `${said}; check the credentials in the setting ${setting}`)
  if (status === 429) return new MuslinError('upstream-refused', `${said}; it limits requests: try again later`)
  if (status >= 500) return new MuslinError('upstream-refused', `${said}; it has a problem of its own: try again later`)
  return new MuslinError('upstream-refused', `${said}; check the setting ${setting}`)
}

/** undici's own errors for what a proxy said: they have no code of their own. */
function isOfProxy(error: unknown, code: string): boolean {
  return code.startsWith('UND_ERR_PRX_') || (error instanceof Error && /^Proxy (?:response|Authentication)/.test(error.message))
}

/** Its status, and nothing of its address, which may hold credentials. */
function proxySaid(error: unknown): string {
  return /\((\d{3})\)/.exec(error instanceof Error ? error.message : '')?.[1] ?? (codeOf(error) || 'no answer')
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string') return code
  // undici gives no code where the very first bytes are no HTTP.
  return error instanceof Error && error.name === 'HTTPParserError' ? 'HPE_INVALID' : ''
}
