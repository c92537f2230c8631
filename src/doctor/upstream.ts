import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Check } from '../cli/context.ts'
import { duration } from '../cli/format.ts'
import { upstreamCertificates } from '../config/certificates.ts'
import { findUpstream } from '../config/default-upstream.ts'
import type { Pip } from '../config/pip.ts'
import type { Settings } from '../config/settings.ts'
import type { Clock, Upstream } from '../services/ports.ts'
import { parseAddress } from '../upstream/address.ts'
import { createRequests, dismiss } from '../upstream/requests.ts'
import { createUpstream } from '../upstream/upstream.ts'
import { failed, ok, warn } from './check.ts'

/** The upstream that a server with these settings would have. */
export interface UpstreamSource {
  /** Where it was found, for people. */
  from: string
  /** Runs something with a client of it, and closes that. */
  use<T>(work: (upstream: Upstream) => Promise<T>): Promise<T>
  /** The head of an answer of its own host, whatever its status. */
  head(): Promise<{ date: string | undefined; age: number }>
}

/** Every index has it, and where one does not, that is an answer too. */
const PROJECT = 'pip'
const TIMEOUTS = { connect: 5_000, headers: 20_000, idle: 20_000 }
const MOST_SKEW_SECONDS = 60

/** Throws `no-upstream` or `bad-settings` where there is none. Nothing is asked of it here. */
export async function findSource({ settings, pip, log, clock }: { settings: Pick<Settings, 'upstream' | 'upstreamCa'>; pip: Pip | undefined; log: Logger; clock: Clock }): Promise<UpstreamSource> {
  const { url, from } = await findUpstream({ setting: settings.upstream, pip })
  const parts = { ca: await upstreamCertificates({ setting: settings.upstreamCa, pip }), instance: `doctor-${randomUUID()}`, log, clock, timeouts: TIMEOUTS }
  return {
    from,
    async use(work) {
      const upstream = createUpstream({ url, ...parts })
      try {
        return await work(upstream)
      } finally {
        await upstream.close()
      }
    },
    async head() {
      const address = parseAddress(url)
      const requests = createRequests({ address, ...parts })
      try {
        const answer = await requests.get(new URL(`${PROJECT}/`, address.base), {})
        dismiss(answer)
        return { date: answer.headers.date, age: Number(answer.headers.age ?? 0) }
      } finally {
        await requests.close()
      }
    },
  }
}

/** The upstream answers with an index page. */
export async function upstreamCheck(source: UpstreamSource): Promise<Check> {
  return source.use(async (upstream) => {
    const name = `${upstream.label}, from ${source.from}`
    try {
      const { kind } = await upstream.page(PROJECT)
      return ok('upstream', `${name}, answers${kind === 'absent' ? `, and has no project ${PROJECT}` : ''}`)
    } catch (error) {
      const check = failed('upstream', error)
      return { ...check, found: `${name}: ${check.found}` }
    }
  })
}

/** Our clock agrees with the upstream's. Nothing is told where that does not answer: its own check says so. */
export async function clockCheck(source: UpstreamSource, clock: Clock): Promise<Check[]> {
  const before = clock.now()
  const head = await source.head().catch(() => undefined)
  return head === undefined ? [] : [clockFound({ ...head, ours: (before + clock.now()) / 2 })]
}

/** `date` and `age` are the headers of an answer (RFC 9110 section 6.6.1, RFC 9111 section 5.1: a cache's answer is older by its age), `ours` our time. */
export function clockFound({ date, age, ours }: { date: string | undefined; age: number; ours: number }): Check {
  const theirs = Date.parse(date ?? '') + (Number.isFinite(age) ? age : 0) * 1000
  if (Number.isNaN(theirs)) return ok('clock', 'not compared: the upstream tells no time')
  const seconds = (ours - theirs) / 1000
  if (Math.abs(seconds) <= MOST_SKEW_SECONDS) return ok('clock', 'agrees with the upstream\'s')
  return warn('clock', `${duration(Math.abs(seconds))} ${seconds > 0 ? 'ahead of' : 'behind'} the upstream's`, 'set it by NTP: certificates and the times of files depend on it')
}
