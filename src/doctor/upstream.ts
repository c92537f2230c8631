import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { duration } from '../cli/format.ts'
import type { Check } from '../cli/context.ts'
import { upstreamCertificates } from '../config/certificates.ts'
import { findUpstream } from '../config/default-upstream.ts'
import type { Pip } from '../config/pip.ts'
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../services/ports.ts'
import { parseAddress } from '../upstream/address.ts'
import { createRequests, dismiss } from '../upstream/requests.ts'
import { createUpstream } from '../upstream/upstream.ts'
import { failed, guarded, ok, warn } from './check.ts'

/** Every index has it, and where one does not, that is an answer too. */
const PROJECT = 'pip'
const TIMEOUTS = { connect: 5_000, headers: 20_000, idle: 20_000 }
const MOST_SKEW_SECONDS = 60

/** The upstream answers with an index page, and its clock agrees with ours. */
export async function upstreamChecks(input: { settings: Pick<Settings, 'upstream' | 'upstreamCa'>; pip: Pip | undefined; log: Logger; clock: Clock }): Promise<Check[]> {
  const { settings, pip, log, clock } = input
  const { url, from } = await findUpstream({ setting: settings.upstream, pip })
  const parts = { ca: await upstreamCertificates({ setting: settings.upstreamCa, pip }), instance: `doctor-${randomUUID()}`, log, clock }
  const groups = await Promise.all([
    guarded('upstream', () => pageCheck(createUpstream({ url, ...parts, timeouts: TIMEOUTS }), from)),
    clockCheck(url, parts),
  ])
  return groups.flat()
}

async function pageCheck(upstream: ReturnType<typeof createUpstream>, from: string): Promise<Check> {
  try {
    const { kind } = await upstream.page(PROJECT)
    return ok('upstream', `${upstream.label} answers${kind === 'absent' ? `, without a project ${PROJECT}` : ''} (from ${from})`)
  } catch (error) {
    const check = failed('upstream', error)
    return { ...check, found: `${upstream.label}, from ${from}: ${check.found}` }
  } finally {
    await upstream.close()
  }
}

/** Nothing is told of the clock where the upstream does not answer: its own check says so. */
async function clockCheck(url: string, { ca, instance, log, clock }: { ca: string[]; instance: string; log: Logger; clock: Clock }): Promise<Check[]> {
  const address = parseAddress(url)
  const requests = createRequests({ address, ca, instance, log, clock, timeouts: TIMEOUTS })
  try {
    const before = clock.now()
    const answer = await requests.get(new URL(`${PROJECT}/`, address.base), {})
    dismiss(answer)
    const { date, age } = answer.headers
    return [clockFound({ date, age: Number(age ?? 0), ours: (before + clock.now()) / 2 })]
  } catch {
    return []
  } finally {
    await requests.close()
  }
}

/** `date` and `age` are the headers of an answer (RFC 9110 section 6.6.1, RFC 9111 section 5.1: a cache's answer is older by its age), `ours` our time. */
export function clockFound({ date, age, ours }: { date: string | undefined; age: number; ours: number }): Check {
  const theirs = Date.parse(date ?? '') + (Number.isFinite(age) ? age : 0) * 1000
  if (Number.isNaN(theirs)) return ok('clock', 'not compared: the upstream tells no time')
  const seconds = (ours - theirs) / 1000
  if (Math.abs(seconds) <= MOST_SKEW_SECONDS) return ok('clock', 'agrees with the upstream\'s')
  return warn('clock', `${duration(Math.abs(seconds))} ${seconds > 0 ? 'ahead of' : 'behind'} the upstream's`, 'set it by NTP: certificates and the times of files depend on it')
}
