import { LRUCache } from 'lru-cache'
import type { Clock } from './ports.ts'

export interface Away {
  /** Whether the server of this URL did not answer lately: nobody who could be served otherwise waits for it. */
  is(url: string): boolean
  /** Whether it is time to see if it is back; of those who ask at the same time, one. */
  mayProbe(url: string): boolean
  /** It did not answer. */
  note(url: string): void
  /** It answered. */
  end(url: string): void
}

/** Without anybody who asks for so long, nobody knows any more. */
const BELIEVED_MS = 60_000
/** How often it is looked whether it is back. */
const PROBE_MS = 5_000

/** Which servers do not answer, so that a silent one takes its patience from one request and not from every project. */
export function createAway({ clock }: { clock: Clock }): Away {
  const servers = new LRUCache<string, { until: number; probeAt: number }>({ max: 1_000 })

  return {
    is: (url) => clock.now() < (servers.get(originOf(url))?.until ?? 0),
    mayProbe(url) {
      const server = servers.get(originOf(url))
      if (server && clock.now() < server.probeAt) return false
      // Until that is answered it is believed to be away: who asks now does not wait to hear it.
      if (server) note(url)
      return true
    },
    note,
    end(url) { servers.delete(originOf(url)) },
  }

  function note(url: string): void {
    const now = clock.now()
    servers.set(originOf(url), { until: now + BELIEVED_MS, probeAt: now + PROBE_MS })
  }
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? ''
}
