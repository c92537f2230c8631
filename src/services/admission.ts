import { isIP } from 'node:net'
import type { Client } from '../domain/client.ts'
import type { JobKind } from '../domain/job.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, JobStore } from './ports.ts'

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
   * By which name new work is counted for this client. Throws `start-refused`, `too-many-builds` or `queue-full` where this
   * request may not start any.
   */
  admit(asker: Asker, kind: JobKind): Promise<string>
  /** As `admit`, for builds that nobody waits for yet: undefined where it would refuse, or the client began many in this minute. */
  admitAhead(asker: Asker): Promise<string | undefined>
  /** Throws `start-refused`: this request neither starts work nor hastens it. */
  check(asker: Asker): void
  isOwnHost(host: string | undefined): boolean
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** A resolver asks for the metadata of many releases that it then leaves: so many of them are compiled in advance. */
const AHEAD_PER_MINUTE = 20

/** Who may start builds (an open index must not run strangers' code for a web page's visitor), and how many. */
export function createAdmission({ jobs, clock, hosts, buildsPerClient, queueLimit }: {
  jobs: JobStore
  clock: Clock
  /** Own names: the machine's, that of `publicUrl`, `allowedHosts`. IP literals and the well-known ones need not be named. */
  hosts: string[]
  /** New builds per client and hour. */
  buildsPerClient: number
  /** Queued in all, of each kind. */
  queueLimit: number
}): Admission {
  const own = new Set(['localhost', 'host.docker.internal', ...hosts.map(hostname)])

  return { admit, admitAhead, check, isOwnHost }

  async function admit(asker: Asker, kind: JobKind): Promise<string> {
    check(asker)
    const askedBy = asker.admin ? 'admin' : asker.address
    if (kind === 'build' && !asker.admin && await jobs.countBy(askedBy, clock.now() - HOUR_MS) >= buildsPerClient) {
      throw new MuslinError('too-many-builds', `${askedBy} started ${buildsPerClient} new builds within an hour; try again later, or with the admin's token`)
    }
    if (await jobs.count('queued', kind) >= queueLimit) {
      throw new MuslinError('queue-full', `${queueLimit} are queued already; try again later, or raise queueLimit`)
    }
    return askedBy
  }

  async function admitAhead(asker: Asker): Promise<string | undefined> {
    try {
      const askedBy = await admit(asker, 'build')
      return await jobs.countBy(askedBy, clock.now() - MINUTE_MS) < AHEAD_PER_MINUTE ? askedBy : undefined
    } catch (error) {
      if (error instanceof MuslinError) return undefined
      throw error
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

/** Poetry and pdm reach promises on the `/target/…` view alone, where their user has chosen them. */
function startsBuilds(client: Client): boolean {
  return client.installs || client.tool === 'poetry' || client.tool === 'pdm'
}

/** `Host` without port, IPv6 brackets and the root's dot (RFC 9110 section 7.2). */
function hostname(host: string): string {
  const [, literal] = /^\[(.*)\](?::\d*)?$/.exec(host) ?? []
  return (literal ?? host.replace(/:\d*$/, '')).replace(/\.$/, '').toLowerCase()
}
