import { MuslinError } from '../errors.ts'

/** The HTTP proxies of the environment, by the scheme of what is asked for. May hold credentials: never print them. */
export interface EnvironmentProxies {
  http: string | undefined
  https: string | undefined
  /** Hosts that are asked directly. */
  bypass: string
}

/** What no proxy reaches. */
const LOOPBACK = 'localhost,127.0.0.1,::1'

/** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in small letters first, as curl and pip read them; undefined without a proxy. Throws `bad-settings`. */
export function environmentProxies(env: Record<string, string | undefined>): EnvironmentProxies | undefined {
  const http = proxyOf(env, 'http_proxy') ?? proxyOf(env, 'all_proxy')
  const https = proxyOf(env, 'https_proxy') ?? proxyOf(env, 'all_proxy')
  if (http === undefined && https === undefined) return undefined
  const { value: bypass = '' } = variable(env, 'no_proxy') ?? {}
  return { http, https, bypass: bypass === '' ? LOOPBACK : `${bypass},${LOOPBACK}` }
}

function proxyOf(env: Record<string, string | undefined>, name: string): string | undefined {
  const found = variable(env, name)
  if (!found) return undefined
  // As curl takes them: host and port may stand alone.
  const text = found.value.includes('://') ? found.value : `http://${found.value}`
  if (['http:', 'https:'].includes(URL.parse(text)?.protocol ?? '')) return text
  throw new MuslinError('bad-settings', `the proxy in the environment variable ${found.name} is no http or https URL; mend it, or unset it`)
}

function variable(env: Record<string, string | undefined>, lower: string): { name: string; value: string } | undefined {
  for (const name of [lower, lower.toUpperCase()]) {
    const value = env[name]
    if (value) return { name, value }
  }
  return undefined
}
