import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { cleanLine } from '../domain/clean.ts'
import type { Admission } from '../services/admission.ts'

/** Strangers make names up: so many are remembered. */
const MOST_NAMES = 100

/**
 * Whether a request's `Host` is a name that is not ours: no build may be started for it, so no promise could be kept. Each such
 * name is told once in the log, because who installs sees sdists and not why.
 */
export function createHostCheck({ admission, log }: { admission: Admission; log: Logger }): (host: string | undefined) => boolean {
  const told = new LRUCache<string, true>({ max: MOST_NAMES })
  return (host) => {
    if (admission.isOwnHost(host)) return false
    const name = cleanLine(host ?? '(none)', 100)
    if (!told.has(name)) log.warn({ host: name }, 'pages promise no wheels under this host name; add it to allowedHosts if it is yours, or have the proxy pass on the one that clients use (nginx: proxy_set_header Host $http_host)')
    told.set(name, true)
    return true
  }
}
