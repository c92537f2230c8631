import type { Database } from 'better-sqlite3'
import { retryAfterMs, type Failure } from '../../domain/failure.ts'
import { failureOfNeed } from '../../domain/needs.ts'
import type { Changes } from './changes.ts'
import { toJob, type JobRow } from './job-row.ts'

/** A build job that learns what a metadata job wants, whatever image it uses. */
export const SIBLING = "twin.kind = 'build' AND twin.sdist = jobs.sdist AND twin.target = jobs.target AND twin.recipe = jobs.recipe"
/** The build job of a metadata job: the same wish but for its kind. */
export const TWIN = `${SIBLING} AND twin.image = jobs.image`

/** Whether a row of `jobs`, by the name that it has in the statement, waits for another job. */
export function waiting(name: string): string {
  return `EXISTS (SELECT 1 FROM job_waits JOIN jobs AS needed ON needed.id = job_waits.waits_for WHERE job_waits.job = ${name}.id AND needed.state IN ('queued', 'running'))`
}

/** What follows from a job's end for those that wait for it. All of it belongs into the transaction that ends the job. */
export interface Waits {
  /** The job has just failed or was cancelled: those that wait for it fail too, and those that wait for these. */
  failed(row: JobRow, now: number): void
  /** The job succeeded: nobody waits for it any more, and what had failed for its sake is queued again soon. */
  built(id: number, now: number): void
  /** A build job has just failed: its queued metadata job does too, with one log to read. */
  failTwin(row: JobRow, now: number): void
  /** The job waits for the same with another key, and will end as that one does. */
  await(row: Pick<JobRow, 'id' | 'priority'>, heir: Pick<JobRow, 'id'>): void
  /** It does so no longer. */
  unfollow(id: number): void
  /** The queued job ends as the other one did. */
  follow(id: number, heir: JobRow, now: number): void
  /** What a job waits for is wanted as much as the job itself. */
  raise(id: number, priority: number): void
  /** The job begins anew, and will say for itself what it needs. */
  forget(id: number): void
}

/** Stands for a requirement where a job waits for the same with another key. */
export const ITSELF = ''

export function createWaits(db: Database, changes: Changes): Waits {
  // A metadata job fails with its build where both wait, and has that one's log.
  const selectWaiters = db.prepare<[number], { job: number; requirement: string }>(
    "SELECT job, requirement FROM job_waits JOIN jobs ON jobs.id = job WHERE waits_for = ? ORDER BY kind = 'metadata', job")
  const fail = db.prepare<{ id: number; failure: string; now: number; retryAt: number | null }, JobRow>(`
    UPDATE jobs SET state = 'failed', failure = @failure, remembered = (kind IN ('metadata', 'build')), retry_at = iif(kind = 'trial', NULL, @retryAt), finished_at = @now
    WHERE id = @id AND state = 'queued' RETURNING *`)
  const failTwin = db.prepare<{ id: number; failure: string; now: number; build: number | null }>(`
    UPDATE jobs SET state = 'failed', failure = @failure, remembered = 1, build = @build, finished_at = @now
    WHERE kind = 'metadata' AND state = 'queued' AND EXISTS (SELECT 1 FROM jobs AS twin WHERE ${TWIN} AND twin.id = @id)`)
  const select = db.prepare<[number], JobRow>('SELECT * FROM jobs WHERE id = ?')
  const follow = db.prepare<Pick<JobRow, 'id' | 'state' | 'failure' | 'remembered' | 'build' | 'metadata_changed' | 'retry_at'> & { now: number }, JobRow>(`
    UPDATE jobs SET state = @state, failure = @failure, remembered = @remembered, build = @build, metadata_changed = @metadata_changed,
      retry_at = @retry_at, finished_at = @now
    WHERE id = @id AND state = 'queued' RETURNING *`)
  const insertSame = db.prepare<[number, number]>(`INSERT INTO job_waits VALUES (?, ?, '${ITSELF}') ON CONFLICT DO NOTHING`)
  const unfollow = db.prepare<[number]>(`DELETE FROM job_waits WHERE job = ? AND requirement = '${ITSELF}'`)
  const forget = db.prepare<[number]>('DELETE FROM job_waits WHERE job = ?')
  const satisfy = db.prepare<[number]>('DELETE FROM job_waits WHERE waits_for = ?')
  const retrySoon = db.prepare<{ id: number; now: number }>(`
    UPDATE jobs SET retry_at = @now WHERE state = 'failed' AND kind <> 'trial' AND json_extract(failure, '$.job') = @id`)
  const raise = db.prepare<{ id: number; priority: number }>(`
    WITH RECURSIVE needed (id) AS (
      SELECT waits_for FROM job_waits WHERE job = @id UNION SELECT waits_for FROM job_waits JOIN needed ON job_waits.job = needed.id)
    UPDATE jobs SET priority = @priority WHERE id IN (SELECT id FROM needed) AND state IN ('queued', 'running') AND priority < @priority`)

  return {
    failed,
    built,
    follow: endLike,
    unfollow(id) { unfollow.run(id) },
    await(row, heir) {
      // The recipe may have gone there and back: nobody waits for one that waits for her.
      for (const id of [row.id, heir.id]) unfollow.run(id)
      insertSame.run(row.id, heir.id)
      raise.run({ id: row.id, priority: row.priority })
    },
    failTwin: twinFailed,
    raise(id, priority) { raise.run({ id, priority }) },
    forget(id) { forget.run(id) },
  }

  function endLike(id: number, { state, failure, remembered, build, metadata_changed, retry_at }: JobRow, now: number): void {
    const row = follow.get({ id, state, failure, remembered, build, metadata_changed, retry_at, now })
    if (!row) return
    changes.bump(row.project)
    if (state === 'built') built(id, now)
    else failed(row, now)
  }

  function built(id: number, now: number): void {
    forget.run(id)
    for (const { job, requirement } of selectWaiters.all(id)) if (requirement === ITSELF) endLike(job, select.get(id)!, now)
    satisfy.run(id)
    retrySoon.run({ id, now })
  }

  function failed(row: JobRow, now: number): void {
    forget.run(row.id)
    for (const { job, requirement } of selectWaiters.all(row.id)) {
      if (requirement === ITSELF) {
        endLike(job, row, now)
        continue
      }
      const failure: Failure = failureOfNeed(requirement, toJob(row))
      const after = retryAfterMs(failure.class)
      const waiter = fail.get({ id: job, failure: JSON.stringify(failure), now, retryAt: after === undefined ? null : now + after })
      if (!waiter) continue
      twinFailed(waiter, now)
      changes.bump(waiter.project)
      failed(waiter, now)
    }
    satisfy.run(row.id)
  }

  function twinFailed(row: JobRow, now: number): void {
    if (row.kind === 'build') failTwin.run({ id: row.id, failure: row.failure ?? '', now, build: row.build })
  }
}
