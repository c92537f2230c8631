import type { Database } from 'better-sqlite3'
import { OURSELVES, PRIORITY, type ClaimedJob, type Step } from '../../domain/job.ts'
import type { Failure } from '../../domain/failure.ts'
import { expectedBytes, PASSING_MS, type Room } from '../../domain/sizing.ts'
import type { BuildRecord, JobStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { COMPILED, END_BUILD, toJob, type EndedBuild, type JobRow } from './job-row.ts'
import type { AtOnce } from './port.ts'
import { SIBLING, TWIN, waiting, type Waits } from './waits.ts'

type Runs = Pick<JobStore, 'claim' | 'heartbeat' | 'step' | 'fail' | 'done' | 'metadataKnown' | 'giveBack' | 'requeue'>

/** Metadata jobs first: an installer that has all METADATA early asks for its wheels in parallel. */
export const CLAIM_ORDER = "kind = 'metadata' DESC, priority DESC, created_at, id"

/** Only the newest run of a job may write, and only while it runs. The subquery finds the job by its key. */
export const RUN = "id = (SELECT job FROM builds WHERE id = @build) AND build = @build AND state = 'running'"

/** So many are looked at for one that fits. */
const LOOKED_AT = 50

/** What a worker does with jobs: claim one under a lease, keep the lease, end the run. */
export function createRuns(db: Database, changes: Changes, waits: Waits): AtOnce<Runs> {
  // A metadata job whose build runs waits for that: the build learns METADATA on its way, and two runs of one sdist would do the same
  // work twice.
  const selectNext = db.prepare<{ kinds: string; targets: string; now: number; most: number }, JobRow>(`
    SELECT * FROM jobs
    WHERE ((state = 'queued' AND NOT ${waiting('jobs')}) OR (state = 'running' AND lease_until <= @now))
      AND kind IN (SELECT value FROM json_each(@kinds)) AND (target, image) IN (SELECT key, value FROM json_each(@targets))
      AND NOT (kind = 'metadata' AND EXISTS (SELECT 1 FROM jobs AS twin WHERE ${SIBLING} AND twin.state = 'running' AND twin.lease_until > @now))
    ORDER BY ${CLAIM_ORDER} LIMIT @most`)
  // A build that nobody waits for would take the slot for minutes from one that somebody does wait for.
  const selectTwin = db.prepare<{ id: number; targets: string; now: number }, JobRow>(`
    SELECT twin.* FROM jobs JOIN jobs AS twin ON ${TWIN}
    WHERE jobs.id = @id AND twin.state = 'queued' AND NOT ${waiting('twin')} AND NOT EXISTS (
      SELECT 1 FROM jobs AS other WHERE other.kind <> 'metadata' AND other.priority > twin.priority
        AND ((other.state = 'queued' AND NOT ${waiting('other')}) OR (other.state = 'running' AND other.lease_until <= @now))
        AND (other.target, other.image) IN (SELECT key, value FROM json_each(@targets)))`)
  const selectPeak = db.prepare<[string], number>(`
    SELECT peak_bytes FROM wheels JOIN builds ON builds.id = wheels.build
    WHERE wheels.project = ? AND peak_bytes IS NOT NULL AND ${COMPILED} ORDER BY builds.id DESC LIMIT 1`).pluck()
  const selectPause = db.prepare<[], number>('SELECT 1 FROM pause').pluck()
  const pass = db.prepare<[number, number]>('UPDATE jobs SET passed_at = ? WHERE id = ? AND passed_at IS NULL')
  const insertBuild = db.prepare<[number, string, number]>('INSERT INTO builds (job, worker, started_at) VALUES (?, ?, ?)')
  const startRun = db.prepare<{ id: number; worker: string; build: number; now: number; leaseUntil: number }, JobRow>(`
    UPDATE jobs SET state = 'running', attempts = attempts + 1, worker = @worker, lease_until = @leaseUntil, build = @build,
      step = NULL, retry_at = NULL, passed_at = NULL, started_at = @now, finished_at = NULL
    WHERE id = @id RETURNING *`)
  const heartbeat = db.prepare<{ build: number; leaseUntil: number }>(`UPDATE jobs SET lease_until = @leaseUntil WHERE ${RUN}`)
  const step = db.prepare<{ build: number; step: Step }>(`UPDATE jobs SET step = @step WHERE ${RUN}`)
  const noteStep = db.prepare<{ build: number; step: Step; now: number }>(`
    UPDATE builds SET steps = json_insert(steps, '$[#]', json_object('step', @step, 'startedAt', CAST(@now AS INTEGER))) WHERE id = @build`)
  const endBuild = db.prepare<EndedBuild>(END_BUILD)
  // What came of a trial stops no promise, and beside a failed rebuild there is the older wheel.
  const failRun = db.prepare<{ build: number; failure: string; now: number; retryAt: number | null }, JobRow>(`
    UPDATE jobs SET state = 'failed', failure = @failure, remembered = (kind IN ('metadata', 'build')), retry_at = @retryAt, lease_until = NULL, finished_at = @now
    WHERE ${RUN} RETURNING *`)
  // METADATA alone shows nothing of a compile: what is remembered of a metadata job stays until there is a wheel.
  const endRun = db.prepare<{ build: number; now: number }, JobRow>(`
    UPDATE jobs SET state = 'built', failure = NULL, remembered = iif(kind = 'metadata', remembered, 0), lease_until = NULL, step = NULL, finished_at = @now
    WHERE ${RUN} RETURNING *`)
  const endKnown = db.prepare<{ sdist: string; target: string; now: number }>(`
    UPDATE jobs SET state = 'built', failure = NULL, finished_at = @now
    WHERE kind = 'metadata' AND state = 'queued' AND sdist = @sdist AND target = @target`)
  const returnRun = db.prepare<{ build: number; uncount: number }, JobRow>(`
    UPDATE jobs SET state = 'queued', attempts = attempts - @uncount, lease_until = NULL, step = NULL WHERE ${RUN} RETURNING *`)
  // Only a wheel ends what is remembered, and of a metadata job alone there would never be one. Nobody's hour is charged for it.
  const insertTwins = db.prepare<{ now: number; priority: number; askedBy: string }>(`
    INSERT INTO jobs (kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, created_at)
    SELECT 'build', project, version, sdist, sdist_filename, target, recipe, image, @askedBy, @priority, @now FROM jobs
    WHERE kind = 'metadata' AND state = 'failed' AND retry_at <= @now ON CONFLICT DO NOTHING`)
  const requeueAll = db.prepare<{ now: number; priority: number }>(`
    UPDATE jobs SET state = 'queued', priority = min(priority, @priority), attempts = 0, waited = 0, retry_at = NULL, step = NULL, passed_at = NULL, finished_at = NULL
    WHERE state = 'failed' AND retry_at <= @now`)

  const claim = db.transaction((...[worker, want, now, leaseUntil]: Parameters<Runs['claim']>): ClaimedJob | undefined => {
    if (selectPause.get() !== undefined) return undefined
    const targets = JSON.stringify(want.targets)
    for (const first of selectNext.all({ kinds: JSON.stringify(want.kinds), targets, now, most: want.room ? LOOKED_AT : 1 })) {
      const twin = first.kind === 'metadata' && want.kinds.includes('build') ? selectTwin.get({ id: first.id, targets, now }) : undefined
      for (const next of twin ? [twin, first] : [first]) {
        const bytes = want.room && expected(next, want.room)
        // Metadata takes little, and whoever waits for it would wait for the end of builds: it goes where a slot is free for it.
        if (bytes === undefined || next.kind === 'metadata' || bytes <= want.room!.free) return start(next, worker, bytes, now, leaseUntil)
      }
      if (first.passed_at !== null && now - first.passed_at >= PASSING_MS) return undefined
      pass.run(now, first.id)
    }
    return undefined
  })

  function expected(row: JobRow, room: Room): number {
    return expectedBytes(row.kind, selectPeak.get(row.project), room)
  }

  function start(next: JobRow, worker: string, bytes: number | undefined, now: number, leaseUntil: number): ClaimedJob | undefined {
    const died: Failure = { class: 'infrastructure', key: 'the worker died' }
    if (next.state === 'running') endBuild.run({ build: next.build, now, failure: JSON.stringify(died), record: null })
    const build = Number(insertBuild.run(next.id, worker, now).lastInsertRowid)
    waits.forget(next.id)
    const row = startRun.get({ id: next.id, worker, build, now, leaseUntil })
    return row && { ...toJob(row), build, ...bytes !== undefined && { expectedBytes: bytes } }
  }

  const begin = db.transaction((...[build, name, now]: Parameters<Runs['step']>): boolean => {
    const ours = step.run({ build, step: name }).changes > 0
    if (ours) noteStep.run({ build, step: name, now })
    return ours
  })

  const fail = db.transaction((...[build, failure, record, now, retryAt]: Parameters<Runs['fail']>): boolean => {
    const row = failRun.get({ build, failure: JSON.stringify(failure), now, retryAt: retryAt ?? null })
    if (!row) return false
    endBuild.run({ build, now, failure: JSON.stringify(failure), record: json(record) })
    waits.failTwin(row, now)
    waits.failed(row, now)
    changes.bump(row.project)
    return true
  })

  const done = db.transaction((...[build, record, now]: Parameters<Runs['done']>): boolean => {
    const row = endRun.get({ build, now })
    if (!row) return false
    endBuild.run({ build, now, failure: null, record: json(record) })
    waits.built(row.id, now)
    changes.bump(row.project)
    return true
  })

  const giveBack = db.transaction((build: number, after: 'stop' | 'death', now: number): boolean => {
    const row = returnRun.get({ build, uncount: after === 'stop' ? 1 : 0 })
    if (row) endBuild.run({ build, now, failure: null, record: null })
    return row !== undefined
  })

  const requeue = db.transaction((now: number): number => {
    insertTwins.run({ now, priority: PRIORITY.background, askedBy: OURSELVES })
    return requeueAll.run({ now, priority: PRIORITY.background }).changes
  })

  /** Tells those who watch, unless nothing happened: a worker that is woken by its own empty claim would never rest. */
  function told<Result>(result: Result): Result {
    if (result) changes.notify()
    return result
  }

  return {
    claim: (...args) => told(claim.immediate(...args)),
    heartbeat: (build, leaseUntil) => heartbeat.run({ build, leaseUntil }).changes > 0,
    step(...args) { told(begin.immediate(...args)) },
    fail: (...args) => told(fail.immediate(...args)),
    done: (...args) => told(done.immediate(...args)),
    metadataKnown(sdist, target, now) { told(endKnown.run({ sdist, target, now }).changes) },
    giveBack(...args) { told(giveBack.immediate(...args)) },
    requeue: (now) => told(requeue.immediate(now)),
  }
}

function json(record: BuildRecord | undefined): string | null {
  return record === undefined ? null : JSON.stringify(record)
}
