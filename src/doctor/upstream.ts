import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Check } from '../cli/context.ts'
import { duration } from '../cli/format.ts'
import type { Pip } from '../config/pip.ts'
import type { Settings } from '../config/settings.ts'
import { findSources } from '../config/upstreams.ts'
import type { Clock, Upstream } from '../services/ports.ts'
import { parseAddress } from '../upstream/address.ts'
import { createRequests, dismiss } from '../upstream/requests.ts'
import { createUpstreams, sourceText } from '../upstream/upstreams.ts'
import { failed, ok, warn } from './check.ts'

/** The upstreams that a server with these settings would have. */
export interface UpstreamSources {
  /** Each for itself, in order. */
  each: UpstreamSource[]
  /** Runs something with a client of all of them, as the server has it, and closes that. */
  use<T>(work: (upstream: Upstream) => Promise<T>): Promise<T>
}

export interface UpstreamSource {
  /** Where it is and what it was found by, for people. */
  text: string
  use<T>(work: (upstream: Upstream) => Promise<T>): Promise<T>
  /** The head of an answer of its own host, whatever its status. */
  head(): Promise<{ date: string | undefined; age: number }>
}

/** Every index has it, and where one does not, that is an answer too. */
const PROJECT = 'pip'
const TIMEOUTS = { connect: 5_000, headers: 20_000, idle: 20_000 }
const MOST_SKEW_SECONDS = 60

/** Throws `no-upstream` or `bad-settings` where there is none. Nothing is asked of it here. */
export async function findUpstreams({ settings, pip, log, clock }: {
  settings: Pick<Settings, 'upstream' | 'upstreams' | 'upstreamCa' | 'allowedFileHosts'>
  pip: Pip | undefined
  log: Logger
  clock: Clock
}): Promise<UpstreamSources> {
  const { sources } = await findSources({ settings, env: process.env, pip })
  const parts = { instance: `doctor-${randomUUID()}`, log, clock, timeouts: TIMEOUTS }
  const { allowedFileHosts } = settings
  return {
    use: (work) => using(createUpstreams({ sources, allowedFileHosts, ...parts }), work),
    each: sources.map((source) => ({
      text: sourceText(source),
      use: (work) => using(createUpstreams({ sources: [{ ...source, projects: [], merge: [] }], allowedFileHosts, ...parts }), work),
      async head() {
        const address = parseAddress(source.url)
        const { ca, proxies } = source
        return using(createRequests({ address, ca, proxies, ...parts }), async (requests) => {
          const answer = await requests.get(new URL(`${PROJECT}/`, address.base), {})
          dismiss(answer)
          return { date: answer.headers.date, age: Number(answer.headers.age ?? 0) }
        })
      },
    })),
  }
}

async function using<Part extends { close(): Promise<void> }, T>(part: Part, work: (part: Part) => Promise<T>): Promise<T> {
  try {
    return await work(part)
  } finally {
    await part.close()
  }
}

/** Each upstream answers with an index page. */
export async function upstreamChecks(sources: UpstreamSources): Promise<Check[]> {
  return Promise.all(sources.each.map((source) => source.use(async (upstream) => {
    try {
      const { kind } = await upstream.page(PROJECT)
      return ok('upstream', `${source.text}, answers${kind === 'absent' ? `, and has no project ${PROJECT}` : ''}`)
    } catch (error) {
      const check = failed('upstream', error)
      return { ...check, found: `${source.text}: ${check.found}` }
    }
  })))
}

/** Our clock agrees with that of the first upstream that answers. Nothing is told where none does: their own checks say so. */
export async function clockCheck({ each }: UpstreamSources, clock: Clock): Promise<Check[]> {
  const before = clock.now()
  const head = await Promise.any(each.map((source) => source.head())).catch(() => undefined)
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
