/** The worker: claims jobs, keeps their leases alive, and tells the web processes what can be built. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { ClaimedJob, JobKind } from '../domain/job.ts'
import { roomBeside, type Room } from '../domain/sizing.ts'
import { MuslinError } from '../errors.ts'
import type { Forget } from './forget.ts'
import type { JobRunner } from './job-run.ts'
import type { Builder, Clock, JobStore, WorkerStore } from './ports.ts'
import { HEARD_WITHIN_MS } from './ready-targets.ts'

/** A lease is three heartbeats long: one may be lost to a busy machine without losing the job. */
export const LEASE_MS = 15_000
const HEARTBEAT_MS = LEASE_MS / 3
/** How often targets are told and expired failures queued again; `web` believes a worker for a minute. */
const BEAT_MS = 10_000
/** One that died under another host name counts as dead only after a silence: mostly later than our start. */
const SWEEP_MS = 60_000
/** For so long a worker that stopped in order is still believed: one that is restarted is back by then. */
export const SUCCESSOR_MS = 30_000
/** How often failures are compared with what they would be built with today. */
const FORGET_MS = 10 * 60_000

export interface Worker {
  /**
   * Sweeps what dead workers left in the engine, now and every minute, takes back the jobs of this machine's dead, and begins.
   * Resolves once the first targets are told.
   */
  start(): Promise<void>
  /** Claims no more, lets running jobs end for `graceMs`, then hands them back to the queue. */
  stop(graceMs: number): Promise<void>
}

/** Names this process among the workers: `host:pid:random`. */
export function workerId(): string {
  return `${hostname().replaceAll(':', '-')}:${process.pid}:${randomBytes(4).toString('hex')}`
}

/**
 * Whether the process of another worker's id may still run. Only of this machine's can it be denied: a process that is gone, or
 * one with our own process number, which is how a restarted container meets its predecessor.
 */
export function isAlive(other: string, self: string): boolean {
  const [host, pid] = other.split(':')
  const [ourHost, ourPid] = self.split(':')
  if (other === self || host !== ourHost) return true
  if (pid === ourPid) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * `slots` build jobs run at once where `memory` has room for them, and one slot more is kept for metadata jobs; trials and rebuilds are
 * builds here.
 */
export function createWorker(deps: {
  id: string
  slots: number
  /** Bytes for all builds together, and for each. */
  memory: Pick<Room, 'budget' | 'limit'>
  jobs: JobStore
  workers: WorkerStore
  builder: Builder
  run: JobRunner
  forget: Forget
  clock: Clock
  log: Logger
}): Worker {
  const { id, jobs, workers, builder, clock, log } = deps
  const stopping = new AbortController()
  const aborting = new AbortController()
  let targets: Record<string, string> = {}
  let wake: () => void = () => undefined
  let changed = new Promise<void>((resolve) => { wake = resolve })
  /** Build slots that run something. */
  let busy = 0
  /** What runs, and the memory that it is expected to take. */
  const running = new Map<ClaimedJob, number>()
  let claiming: Promise<unknown> = Promise.resolve()
  const loops: Promise<void>[] = []
  let unwatch: () => void = () => undefined

  return {
    async start() {
      await sweep()
      await takeBack()
      await beat()
      unwatch = jobs.watch(ring)
      loops.push(every(BEAT_MS, beat, 'the heartbeat failed'), every(FORGET_MS, forget, 'failures could not be looked through'), every(SWEEP_MS, sweep, 'the engine could not be swept'), slot(['metadata']))
      for (let n = 0; n < deps.slots; n++) loops.push(slot(['metadata', 'build', 'trial', 'rebuild']))
    },
    async stop(graceMs) {
      stopping.abort()
      wake()
      const ended = Promise.all(loops)
      const grace = new AbortController()
      await Promise.race([ended, clock.sleep(graceMs, grace.signal).catch(() => undefined)])
      grace.abort()
      aborting.abort(new Error('the worker stops'))
      await ended
      unwatch()
      // Its last word holds on for a while, for who asks before its successor speaks.
      await workers.beat(id, targets, clock.now() - HEARD_WITHIN_MS + SUCCESSOR_MS)
    },
  }

  async function sweep(): Promise<void> {
    const swept = await builder.sweep()
    if (swept > 0) log.warn({ swept }, 'removed what a dead worker left in the engine')
  }

  /** Jobs that a dead process of this machine was running: their lease need not run out first. */
  async function takeBack(): Promise<void> {
    for (const job of await jobs.list({ state: 'running' })) {
      if (job.worker === undefined || job.build === undefined || isAlive(job.worker, id)) continue
      log.warn({ job: job.id, worker: job.worker }, 'took back the job of a dead worker')
      await jobs.giveBack(job.build, 'death', clock.now())
    }
  }

  async function forget(): Promise<void> {
    const hastened = await deps.forget()
    if (hastened > 0) log.info({ hastened }, 'failed jobs are tried again: their build requirements are others today')
  }

  async function beat(): Promise<void> {
    const told = JSON.stringify(targets)
    targets = Object.fromEntries(await builder.targets())
    if (JSON.stringify(targets) !== told) ring()
    await workers.beat(id, targets, clock.now())
    const requeued = await jobs.requeue(clock.now())
    if (requeued > 0) log.info({ requeued }, 'queued failed jobs again: the time that failures are remembered is over')
    const adopted = await jobs.adopt(targets, clock.now() - HEARD_WITHIN_MS, clock.now())
    if (adopted > 0) log.info({ adopted }, 'jobs wait for the new builder image now: theirs is gone')
  }

  /** Until the worker stops; one time that fails is not the last. */
  async function every(ms: number, act: () => Promise<void>, complaint: string): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(ms, stopping.signal).catch(() => undefined)
      if (stopping.signal.aborted) return
      await act().catch((error: unknown) => log.error({ err: error }, complaint))
    }
  }

  function ring(): void {
    const waken = wake
    changed = new Promise<void>((resolve) => { wake = resolve })
    waken()
  }

  async function slot(kinds: JobKind[]): Promise<void> {
    const builds = kinds.includes('build')
    while (!stopping.signal.aborted) {
      const news = changed
      // A free build slot runs a metadata job's build instead, which learns METADATA on its way: the kept slot is for when none is free.
      if (!builds && busy < deps.slots) {
        await idle(news)
        continue
      }
      const job = await claim(kinds)
      if (!job) {
        await idle(news)
        continue
      }
      if (builds) busy++
      ring()
      await leased(job)
      if (builds) busy--
      running.delete(job)
    }
  }

  /** One slot at a time: each must see what the one before it took. */
  function claim(kinds: JobKind[]): Promise<ClaimedJob | undefined> {
    const claimed = claiming.then(async () => {
      const room = roomBeside([...running.values()], deps.memory)
      const job = await jobs.claim(id, { kinds, targets, room }, clock.now(), clock.now() + LEASE_MS)
      if (job) running.set(job, job.expectedBytes ?? 0)
      return job
    }).catch((error: unknown) => {
      log.error({ err: error }, 'no job could be claimed')
      return undefined
    })
    claiming = claimed
    return claimed
  }

  /** Until something changes, and never longer than a lease: a dead worker's job announces itself by nothing. */
  async function idle(news: Promise<void>): Promise<void> {
    const rested = new AbortController()
    await Promise.race([news, clock.sleep(LEASE_MS, AbortSignal.any([stopping.signal, rested.signal])).catch(() => undefined)])
    rested.abort()
  }

  async function leased(job: ClaimedJob): Promise<void> {
    const ended = new AbortController()
    const lost = new AbortController()
    const beating = (async () => {
      while (!ended.signal.aborted) {
        await clock.sleep(HEARTBEAT_MS, ended.signal).catch(() => undefined)
        if (ended.signal.aborted) return
        const ours = await jobs.heartbeat(job.build, clock.now() + LEASE_MS).catch(() => true)
        if (!ours) return lost.abort(new Error('the lease was lost or the job cancelled'))
      }
    })()
    try {
      await deps.run(job, id, AbortSignal.any([aborting.signal, lost.signal]), stopping.signal)
    } catch (error) {
      log.warn({ err: error, job: job.id }, 'the job goes back to the queue')
      const away = error instanceof MuslinError && error.code === 'engine-unavailable'
      // Nothing is claimed until the engine says again what it builds: what is queued would be taken and lost job by job.
      if (away) targets = {}
      await jobs.giveBack(job.build, away ? 'death' : 'stop', clock.now()).catch((again: unknown) => log.error({ err: again, job: job.id }, 'the job could not be given back'))
      if (away) await beat().catch((again: unknown) => log.error({ err: again }, 'the heartbeat failed'))
    } finally {
      ended.abort()
      await beating
    }
  }
}
