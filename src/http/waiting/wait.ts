import type { Context } from 'koa'
import type { JobKind, Job } from '../../domain/job.ts'
import { holdPlan, isDirect, mayHop, RETRY_AFTER } from '../../domain/holding.ts'
import { failureLine, reasonLine, stillBuildingLine } from '../../domain/reason.ts'
import { type ErrorCode, MuslinError } from '../../errors.ts'
import type { Asker } from '../../services/admission.ts'
import { isSettled } from '../../services/job-events.ts'
import type { JobViews } from '../../services/job-views.ts'
import type { Clock, JobStore } from '../../services/ports.ts'
import type { Promised } from '../../services/promises.ts'
import type { Place, WaitingInstalls } from '../../services/waiting-installs.ts'
import type { Wishes } from '../../services/wishes.ts'
import { isTls } from '../asker.ts'
import type { Links } from '../links.ts'
import { createCutPeers } from './cut-peers.ts'
import { hold } from './hold.ts'
import type { Hop, HopTokens } from './hop-token.ts'
import type { Outcome } from './outcome.ts'

export interface Waiting {
  asker(ctx: Context): Asker
  /** When this client first asked for this address, milliseconds since 1970: before all its hops. */
  began(ctx: Context): number
  /**
   * Wishes for the job, holds the request until it is built, and then sends what was waited for. Nothing is sent when the answer is given
   * another way: a hop to the same address, or nothing to a client that left. Throws what `send` does, `build-failed`, `still-building`, what starting a job is refused with, and what
   * comes in between (`services/hindrance.ts`).
   */
  wait(ctx: Context, kind: JobKind, promised: Promised, send: () => Promise<boolean>): Promise<void>
  /** Sends what may be there already, to who came back from a hop too: false where it is not, and is to be waited for. */
  answer(ctx: Context, send: () => Promise<boolean>): Promise<boolean>
}

/** Refusals that say how the server stands, with nothing of a single build: its overview tells more. */
const OF_THE_SERVER: ErrorCode[] = ['queue-full', 'too-many-builds', 'paused', 'no-builder', 'target-gone']

type End = (how: 'built' | 'failed' | 'cancelled' | 'refused') => void

/** Holding requests (the moves are `domain/holding.ts`'s) and how that ends. */
export function createWaiting({ asker, wishes, outcome, jobs, jobViews, links, tokens, installs, clock, closing, publicUrl, behindProxy, holdLimit }: {
  asker: (ctx: Context) => Asker
  wishes: Wishes
  outcome: Outcome
  jobs: JobStore
  jobViews: JobViews
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

  return { asker, began: (ctx) => hopOf(ctx).began ?? clock.now(), wait, answer }

  async function wait(ctx: Context, kind: JobKind, promised: Promised, send: () => Promise<boolean>): Promise<void> {
    const hop = hopOf(ctx)
    const arrived = clock.now()
    if (closing.aborted) refuseClosing(ctx)
    const who = asker(ctx)
    const cameBack = endOf(ctx, hop)
    const job = await wishes.now(kind, promised, who, hop.number > 0).catch((error: unknown) => {
      cameBack('refused')
      throw withLink(ctx, error)
    })
    if (isSettled(job)) return conclude(ctx, job, send, cameBack)
    const direct = !cutPeers.proxied(who.address)
      && isDirect({ httpVersion: ctx.req.httpVersion, headers: ctx.req.headers, tls: isTls(ctx), publicHttps, behindProxy })
    const first = hop.began ?? arrived
    const plan = holdPlan({
      client: who.client, direct, settled: (hop.issued ?? began) >= began, hop: hop.number, waitedMs: arrived - first,
      ageMs: hop.issued === undefined ? undefined : arrived - hop.issued, holdLimitMs: holdLimit === undefined ? undefined : holdLimit * 1000,
    })
    const install = installs.hold({ ...placeOf(ctx, hop), client: who.client, job: job.id, project: promised.project, filename: promised.filename, hop: hop.number, by: plan.interim ? '100s' : 'hops' })
    const held = await hold({ clock, closing, response: ctx.res, plan, settled: (signal) => outcome(job.id, signal), tick: install.tick })
      .catch((error: unknown) => {
        install.end('gone')
        throw error
      })
    if (held.kind === 'settled') return conclude(ctx, held.value, send, install.end)
    install.end(held.kind === 'patience-over' ? plan.then : held.kind)
    if (held.kind === 'gone') {
      cutPeers.left(who.address, held.toldAt)
      ctx.respond = false
      return
    }
    // A server that stops sends its clients to the next one, as long as they follow: what a plan ends with counts from there on.
    const then = held.kind === 'patience-over' ? plan.then : mayHop({ client: who.client, hop: hop.number }) ? 'hop' : refuseClosing(ctx)
    if (then === 'end') throw await stillBuilding(ctx, job)
    if (then === 'retry') sendBack(ctx)
    else redirectOnwards(ctx, { number: hop.number + 1, began: install.began, issued: clock.now() })
  }

  // A hop would lead to this same server, and use up what redirects the client follows: both pip and uv come back after a 503.
  function refuseClosing(ctx: Context): never {
    ctx.set('Retry-After', '5')
    throw new MuslinError('shutting-down', 'this server is being restarted, the build goes on; try again in a few seconds')
  }

  /** The last word to who waited, and its wait ends as that turns out. */
  async function conclude(ctx: Context, value: Job | MuslinError, send: () => Promise<boolean>, end: End): Promise<void> {
    if (!(value instanceof MuslinError) && value.state === 'built') return void await sending(send, end)
    end(value instanceof MuslinError ? 'refused' : value.state === 'cancelled' ? 'cancelled' : 'failed')
    throw value instanceof MuslinError ? withLink(ctx, value) : buildFailed(ctx, value)
  }

  function answer(ctx: Context, send: () => Promise<boolean>): Promise<boolean> {
    return ctx.method === 'HEAD' ? send() : sending(send, endOf(ctx, hopOf(ctx)))
  }

  function endOf(ctx: Context, hop: Hop): End {
    return (how) => installs.answered(placeOf(ctx, hop), how)
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

  function buildFailed(ctx: Context, job: Job): MuslinError {
    const link = links.build(ctx, job.build)
    const failure = job.failure ?? { class: 'cancelled', key: '' }
    const line = failureLine({ project: job.project, version: job.version, failure, link: link ?? links.root(ctx) ?? '/' })
    return new MuslinError('build-failed', line, link === undefined ? {} : { link })
  }

  async function stillBuilding(ctx: Context, job: Job): Promise<MuslinError> {
    const now = await jobs.get(job.id) ?? job
    const link = links.build(ctx, now.build)
    const line = stillBuildingLine({ project: now.project, version: now.version, secondsLeft: (await jobViews.job(now)).remainingSeconds ?? undefined, link })
    return new MuslinError('still-building', line, link === undefined ? {} : { link })
  }

  function withLink(ctx: Context, error: unknown): unknown {
    const root = links.root(ctx)
    if (!(error instanceof MuslinError) || !OF_THE_SERVER.includes(error.code) || root === undefined) return error
    const link = `${root}/ui/`
    return new MuslinError(error.code, reasonLine(error.detail, link), { link })
  }
}

/** A wheel that is there may still be refused. */
async function sending(send: () => Promise<boolean>, end: End): Promise<boolean> {
  try {
    const sent = await send()
    if (sent) end('built')
    return sent
  } catch (error) {
    end('refused')
    throw error
  }
}
