import { MuslinError } from '../errors.ts'

/** What a request that got no answer says to the person who gave the address. */
export function unreachable(error: unknown, { href, hostname }: URL): MuslinError {
  const code = codeOf(error)
  return new MuslinError('no-server', `${href}: ${words(code, hostname) ?? `no answer (${code ?? messageOf(error)})`}; start the server (npm start), or name it by --server URL or MUSLIN_SERVER`, { cause: error })
}

function words(code: string | undefined, host: string): string | undefined {
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name ${host} is not known here`
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'ETIMEDOUT') return 'no answer in time'
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'the connection was cut'
  if (code !== undefined && /CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) return `its certificate is not trusted (${code}), name the file of its CA by SSL_CERT_FILE`
  return undefined
}

/** Of the error or of what lies under it: an address with IPv4 and IPv6 fails with both at once. */
function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown[] }
  if (typeof code === 'string') return code
  const below = cause ?? errors?.[0]
  return below === undefined ? undefined : codeOf(below)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
