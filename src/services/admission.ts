import { isIP } from 'node:net'
import type { Client } from '../domain/client.ts'
import { ADMIN, type JobKind } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, WishBound } from './ports.ts'

/** Who sent a request, as far as it matters for starting work. */
export interface Asker {
  client: Client
  /** The client's own, proxies that are trusted left out. */
  address: string
  /** Came with the admin's token. */
  admin: boolean
  /** The `Host` header. */
  host: string | undefined
  /** The `Sec-Fetch-Site` header: browsers alone send it. */
  site: string | undefined
}

export interface Admission {
  /**
   * By which name new work is counted for this client, and how much of it there may be: what `JobStore.wish` refuses with is
   * `too-many-builds` or `queue-full`. Throws `start-refused` where this request may not start any.
   */
  admit(asker: Asker, kind: JobKind): Admitted
  /** As `admit`, for builds that nobody waits for yet: only so many in a minute. */
  admitAhead(asker: Asker): Admitted
  /** Throws `start-refused`: this request neither starts work nor hastens it. */
  check(asker: Asker): void
  isOwnHost(host: string | undefined): boolean
}

export interface Admitted { askedBy: string; bounds: WishBound[] }

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Who may start builds (an open index must not run strangers' code for a web page's visitor), and how many. */
export function createAdmission({ clock, hosts, buildsPerClient, metadataPerClient, aheadPerClient, queueLimit }: {
  clock: Clock
  /** Own names: the machine's, that of `publicUrl`, `allowedHosts`. IP literals and the well-known ones need not be named. */
  hosts: string[]
  /** New builds per client and hour. */
  buildsPerClient: number
  /** New metadata steps per client and hour: they run the sdist's code too, but a resolver asks for many that it then leaves. */
  metadataPerClient: number
  /** New builds per client and minute that nobody waits for yet. */
  aheadPerClient: number
  /** Queued in all, of both kinds together; what is queued in the background, or prebuilt, is not counted. */
  queueLimit: number
}): Admission {
  const own = new Set(['localhost', 'host.docker.internal', 'host.containers.internal', ...hosts.map(hostname)])

  return { admit, admitAhead, check, isOwnHost }

  function admit(asker: Asker, kind: JobKind): Admitted {
    check(asker)
    const queue: WishBound = {
      counted: 'wanted', most: queueLimit,
      refusal: () => new MuslinError('queue-full', `${queueLimit} are queued already; try again later, or raise queueLimit`),
    }
    if (asker.admin) return { askedBy: ADMIN, bounds: [queue] }
    const [what, most] = kind === 'build' ? ['builds', buildsPerClient] as const : ['metadata steps', metadataPerClient] as const
    const perHour = started(asker.address, what, most, HOUR_MS, 'an hour')
    return { askedBy: asker.address, bounds: [perHour, queue] }
  }

  function admitAhead(asker: Asker): Admitted {
    const { askedBy, bounds } = admit(asker, 'build')
    return { askedBy, bounds: [...bounds, started(askedBy, 'builds', aheadPerClient, MINUTE_MS, 'a minute')] }
  }

  function started(askedBy: string, what: string, most: number, withinMs: number, within: string): WishBound {
    return {
      counted: { since: clock.now() - withinMs }, most,
      refusal: () => new MuslinError('too-many-builds', `${askedBy} started ${most} new ${what} within ${within}; try again later, or with the admin's token`),
    }
  }

  function check(asker: Asker): void {
    if (!isOwnHost(asker.host)) {
      throw new MuslinError('start-refused', `builds are not started under the host name ${asker.host ?? '(none)'}; add it to allowedHosts`)
    }
    if (asker.site === 'cross-site') throw new MuslinError('start-refused', 'a page of another site never starts a build; open this address yourself')
    if (!asker.admin && !startsBuilds(asker.client)) {
      throw new MuslinError('start-refused', 'only installers and the admin\'s token start builds; use pip install or uv pip install')
    }
  }

  function isOwnHost(host: string | undefined): boolean {
    if (host === undefined) return false
    const name = hostname(host)
    return isIP(name) !== 0 || own.has(name)
  }
}

/** Whether this client's requests start builds. Poetry and pdm reach promises on the `/target/…` view alone, where their user has chosen them. */
export function startsBuilds(client: Client): boolean {
  return client.installs || client.tool === 'poetry' || client.tool === 'pdm'
}

/** `Host` without port, IPv6 brackets and the root's dot (RFC 9110 section 7.2). */
function hostname(host: string): string {
  const [, literal] = /^\[(.*)\](?::\d*)?$/.exec(host) ?? []
  return (literal ?? host.replace(/:\d*$/, '')).replace(/\.$/, '').toLowerCase()
}

/** What `admit` and the bounds that it gives refuse with. */
export function isRefusal(error: unknown): boolean {
  return error instanceof MuslinError && ['start-refused', 'too-many-builds', 'queue-full'].includes(error.code)
}
