import type { Context } from 'koa'
import type { JobKind, Job } from '../../domain/job.ts'
import { holdPlan, isDirect, mayHop, RETRY_AFTER } from '../../domain/holding.ts'
import { failureLine, stillBuildingLine } from '../../domain/reason.ts'
import { MuslinError } from '../../errors.ts'
import type { Asker } from '../../services/admission.ts'
import { isSettled, type JobEvents } from '../../services/job-events.ts'
import type { Clock, JobStore } from '../../services/ports.ts'
import type { Promised } from '../../services/promises.ts'
import type { Place, WaitingInstalls } from '../../services/waiting-installs.ts'
import type { Wishes } from '../../services/wishes.ts'
import { isTls } from '../asker.ts'
import type { Links } from '../links.ts'
import { createCutPeers } from './cut-peers.ts'
import { hold } from './hold.ts'
import type { Hop, HopTokens } from './hop-token.ts'

export interface Waiting {
  asker(ctx: Context): Asker
  /** When this client first asked for this address, milliseconds since 1970: before all its hops. */
  began(ctx: Context): number
  /**
   * Wishes for the job and holds the request until it is built; undefined when the answer is given another way: a hop to the same
   * address, or nothing to a client that left. Throws `build-failed`, `still-building`, and what starting a job is refused with.
   */
  wait(ctx: Context, kind: JobKind, promised: Promised): Promise<Job | undefined>
  /** What this client waited for was there when it came back from a hop. */
  answered(ctx: Context): void
}

/** Holding requests (the moves are `domain/holding.ts`'s) and how that ends. */
export function createWaiting({ asker, wishes, events, jobs, links, tokens, installs, clock, closing, publicUrl, behindProxy, holdLimit }: {
  asker: (ctx: Context) => Asker
  wishes: Wishes
  events: JobEvents
  jobs: JobStore
  links: Links
  tokens: HopTokens
  installs: WaitingInstalls
  clock: Clock
  closing: AbortSignal
  publicUrl: string | undefined
  behindProxy: boolean
  /** Seconds that a client waits in all; undefined: as long as it can. */
  holdLimit: number | undefined
}): Waiting {
  const cutPeers = createCutPeers({ clock })
  /** When this process was there to hand out URLs. */
  const began = clock.now()
  const publicHttps = publicUrl?.startsWith('https:') === true

  return { asker, began: (ctx) => hopOf(ctx).began ?? clock.now(), wait, answered }

  async function wait(ctx: Context, kind: JobKind, promised: Promised): Promise<Job | undefined> {
    const hop = hopOf(ctx)
    const arrived = clock.now()
    if (closing.aborted) refuseClosing(ctx)
    const who = asker(ctx)
    const job = await wishes.now(kind, promised, who)
    if (isSettled(job)) {
      answered(ctx, job)
      return builtOrThrow(ctx, job)
    }
    const direct = !cutPeers.proxied(who.address)
      && isDirect({ httpVersion: ctx.req.httpVersion, headers: ctx.req.headers, tls: isTls(ctx), publicHttps, behindProxy })
    const first = hop.began ?? arrived
    const plan = holdPlan({
      client: who.client, direct, settled: (hop.issued ?? began) >= began, hop: hop.number, waitedMs: arrived - first,
      ageMs: hop.issued === undefined ? undefined : arrived - hop.issued, holdLimitMs: holdLimit === undefined ? undefined : holdLimit * 1000,
    })
    const install = installs.hold({ ...placeOf(ctx, hop), client: who.client, job: job.id, project: promised.project, filename: promised.filename, hop: hop.number, by: plan.interim ? '100s' : 'hops' })
    const held = await hold({ clock, closing, response: ctx.res, plan, settled: (signal) => events.settled(job.id, signal), tick: install.tick })
      .catch((error: unknown) => {
        install.end('gone')
        throw error
      })
    install.end(held.kind === 'patience-over' ? plan.then : held.kind === 'settled' ? endOf(held.value) : held.kind)
    if (held.kind === 'settled') return builtOrThrow(ctx, held.value)
    if (held.kind === 'gone') {
      cutPeers.left(who.address, held.toldAt)
      ctx.respond = false
      return undefined
    }
    // A server that stops sends its clients to the next one, as long as they follow: what a plan ends with counts from there on.
    const then = held.kind === 'patience-over' ? plan.then : mayHop({ client: who.client, hop: hop.number }) ? 'hop' : refuseClosing(ctx)
    if (then === 'end') throw await stillBuilding(ctx, job)
    if (then === 'retry') sendBack(ctx)
    else redirectOnwards(ctx, { number: hop.number + 1, began: install.began, issued: clock.now() })
    return undefined
  }

  // A hop would lead to this same server, and use up what redirects the client follows: both pip and uv come back after a 503.
  function refuseClosing(ctx: Context): never {
    ctx.set('Retry-After', '5')
    throw new MuslinError('shutting-down', 'this server is being restarted, the build goes on; try again in a few seconds')
  }

  function answered(ctx: Context, job?: Job): void {
    installs.answered(placeOf(ctx, hopOf(ctx)), job ? endOf(job) : 'built')
  }

  function placeOf(ctx: Context, { began }: Hop): Place {
    return { path: ctx.path, address: asker(ctx).address, began }
  }

  function hopOf(ctx: Context): Hop {
    const token = ctx.query['hop']
    return tokens.read(ctx.path, Array.isArray(token) ? token[0] : token)
  }

  function redirectOnwards(ctx: Context, next: { number: number; began: number; issued: number }): void {
    const token = tokens.issue(ctx.path, next)
    ctx.status = 307
    ctx.set('Location', `?hop=${token}`)
    ctx.set('Cache-Control', 'no-store')
  }

  /** No error: whoever is held so comes again by itself, and says nothing of it. */
  function sendBack(ctx: Context): void {
    ctx.status = 503
    ctx.set('Retry-After', String(RETRY_AFTER))
    ctx.set('Cache-Control', 'no-store')
    ctx.body = ''
  }

  function builtOrThrow(ctx: Context, job: Job): Job {
    if (job.state === 'built') return job
    const link = links.build(ctx, job.build)
    const failure = job.failure ?? { class: 'cancelled', key: '' }
    const line = failureLine({ project: job.project, version: job.version, failure, link: link ?? links.root(ctx) ?? '/' })
    throw new MuslinError('build-failed', line, link === undefined ? {} : { link })
  }

  async function stillBuilding(ctx: Context, job: Job): Promise<MuslinError> {
    const now = await jobs.get(job.id) ?? job
    const link = links.build(ctx, now.build)
    const line = stillBuildingLine({ project: now.project, version: now.version, secondsLeft: await secondsLeft(now), link })
    return new MuslinError('still-building', line, link === undefined ? {} : { link })
  }

  /** As long as the last build of this project took. */
  async function secondsLeft(job: Job): Promise<number | undefined> {
    const [last] = await jobs.history(job.project)
    if (last === undefined) return undefined
    return last - (job.startedAt === undefined ? 0 : (clock.now() - job.startedAt) / 1000)
  }
}

function endOf({ state }: Job): 'built' | 'failed' | 'cancelled' {
  return state === 'built' || state === 'cancelled' ? state : 'failed'
}
