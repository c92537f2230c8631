import type { Database } from 'better-sqlite3'
import type { Failure } from '../../domain/failure.ts'
import { PRIORITY, type Job, type Wish } from '../../domain/job.ts'
import type { Build, JobOrdering, JobStore, WishBound } from '../../services/ports.ts'
import { createAdopt } from './adopt.ts'
import type { Changes } from './changes.ts'
import { toBuild, toJob, type BuildRow, type JobRow } from './job-row.ts'
import { asPort } from './port.ts'
import { CLAIM_ORDER, createRuns, SIBLING } from './runs.ts'

type Key = Pick<JobRow, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>
type NewRow = Key & Pick<JobRow, 'project' | 'version' | 'sdist_filename' | 'asked_by' | 'priority' | 'created_at'>
type Remembered = Pick<JobRow, 'sdist' | 'sdist_filename' | 'target' | 'recipe' | 'image'>

/** How many earlier builds an estimate is made from. */
const HISTORY = 20

/** The queue: jobs, wished for by many, run by one worker at a time. */
export function createJobs(db: Database, changes: Changes): JobStore {
  const selectByKey = db.prepare<Key, JobRow>(
    'SELECT * FROM jobs WHERE kind = @kind AND sdist = @sdist AND target = @target AND recipe = @recipe AND image = @image')
  const insert = db.prepare<NewRow, JobRow>(`
    INSERT INTO jobs (kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, created_at)
    VALUES (@kind, @project, @version, @sdist, @sdist_filename, @target, @recipe, @image, @asked_by, @priority, @created_at) RETURNING *`)
  const raise = db.prepare<[number, number], JobRow>('UPDATE jobs SET priority = ? WHERE id = ? RETURNING *')
  const select = db.prepare<[number], JobRow>('SELECT * FROM jobs WHERE id = ?')
  const selectBy = (order: string) => db.prepare<{ state: string | null; kind: string | null; project: string | null; before: number | null; limit: number }, JobRow>(`
    SELECT * FROM jobs WHERE (@state IS NULL OR state = @state) AND (@kind IS NULL OR kind = @kind)
      AND (@project IS NULL OR project = @project) AND (@before IS NULL OR id < @before)
    ORDER BY ${order} LIMIT @limit`)
  const selectSome = { newest: selectBy('id DESC'), next: selectBy(CLAIM_ORDER), ended: selectBy('finished_at DESC, id DESC') } satisfies Record<JobOrdering, unknown>
  const selectRemembered = db.prepare<[string], Remembered>(
    'SELECT DISTINCT sdist, sdist_filename, target, recipe, image FROM jobs WHERE project = ? AND remembered = 1')
  const count = db.prepare<{ state: string; kind: string | null }, number>(
    'SELECT count(*) FROM jobs WHERE state = @state AND (@kind IS NULL OR kind = @kind)').pluck()
  // What nobody waits for must not shut people out: failures are queued again when their time is over, and locks prebuilt, however many.
  const countWanted = db.prepare<[number], number>("SELECT count(*) FROM jobs WHERE state = 'queued' AND priority > ?").pluck()
  const countBy = db.prepare<[string, number, string], number>(
    'SELECT count(*) FROM jobs WHERE asked_by = ? AND created_at >= ? AND kind = ?').pluck()
  const retry = db.prepare<{ id: number; priority: number }, JobRow>(`
    UPDATE jobs SET state = 'queued', priority = max(priority, @priority), attempts = 0, failure = NULL, remembered = 0, retry_at = NULL, step = NULL, finished_at = NULL
    WHERE id = @id AND state IN ('failed', 'cancelled') RETURNING *`)
  const cancel = db.prepare<{ id: number; failure: string; now: number }, JobRow>(`
    UPDATE jobs SET state = 'cancelled', failure = @failure, remembered = (kind <> 'trial'), retry_at = NULL, lease_until = NULL, finished_at = @now
    WHERE id = @id AND state IN ('queued', 'running') RETURNING *`)
  const endBuild = db.prepare<[number, string, number | null]>('UPDATE builds SET finished_at = ?, failure = ? WHERE id = ? AND finished_at IS NULL')
  const selectBuild = db.prepare<[number], BuildRow>('SELECT * FROM builds WHERE id = ?')
  const selectBuilds = db.prepare<[number, number], BuildRow>('SELECT * FROM builds WHERE job = ? ORDER BY id DESC LIMIT ?')
  const selectHistory = db.prepare<[string, number], number>(`
    SELECT (builds.finished_at - builds.started_at) / 1000.0 FROM wheels JOIN builds ON builds.id = wheels.build
    WHERE wheels.project = ? ORDER BY builds.id DESC LIMIT ?`).pluck()

  // In the order of claims, the queue read once for all that are asked about. A metadata job whose build is queued or runs is answered by
  // that, and goes before nobody.
  const rank = db.prepare<[string], { id: number; ahead: number }>(`
    SELECT id, ahead FROM (
      SELECT id, coalesce(sum(goes) OVER (ORDER BY kind <> 'metadata', priority DESC, created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS ahead
      FROM (SELECT id, kind, priority, created_at,
          kind <> 'metadata' OR NOT EXISTS (SELECT 1 FROM jobs AS twin WHERE ${SIBLING} AND twin.state IN ('queued', 'running')) AS goes
        FROM jobs WHERE state = 'queued'))
    WHERE id IN (SELECT value FROM json_each(?))`)
  const selectRetry = db.prepare<[number], number | null>("SELECT retry_at FROM jobs WHERE id = ? AND state = 'failed'").pluck()

  const makeOrRaise = db.transaction((wish: Wish, now: number, bounds: WishBound[]): { job: Job; created: boolean } => {
    const found = selectByKey.get(toKey(wish))
    if (!found) {
      for (const { counted, most, refusal } of bounds) {
        const there = counted === 'wanted' ? countWanted.get(PRIORITY.prebuild) : countBy.get(wish.askedBy, counted.since, wish.kind)
        if ((there ?? 0) >= most) throw refusal()
      }
      const made = insert.get({
        ...toKey(wish), project: wish.project, version: wish.version, sdist_filename: wish.sdist.filename,
        asked_by: wish.askedBy, priority: wish.priority, created_at: now,
      })
      return { job: toJob(must(made)), created: true }
    }
    return { job: toJob(isLow(found, wish) ? must(raise.get(wish.priority, found.id)) : found), created: false }
  })

  const queueAgain = db.transaction((id: number): Job | undefined => {
    const row = retry.get({ id, priority: PRIORITY.asked })
    if (row) changes.bump(row.project)
    return find(id)
  })

  const end = db.transaction((id: number, now: number): Job | undefined => {
    const failure = JSON.stringify({ class: 'cancelled', key: '' } satisfies Failure)
    const row = cancel.get({ id, failure, now })
    if (row) {
      endBuild.run(now, failure, row.build)
      changes.bump(row.project)
    }
    return find(id)
  })

  function find(id: number): Job | undefined {
    const row = select.get(id)
    return row && toJob(row)
  }

  function told<Result>(result: Result): Result {
    changes.notify()
    return result
  }

  const port = asPort<Omit<JobStore, 'watch'>>({
    ...createRuns(db, changes),
    ...createAdopt(db, changes),
    wish(wish, now, bounds = []) {
      // Most wishes are for a job that is there and high enough: they need no lock.
      const found = selectByKey.get(toKey(wish))
      return found && !isLow(found, wish) ? { job: toJob(found), created: false } : told(makeOrRaise.immediate(wish, now, bounds))
    },
    find(wish) {
      const row = selectByKey.get(toKey(wish))
      return row && toJob(row)
    },
    get: find,
    list: ({ state, kind, project, before, limit, order = 'newest' } = {}) => selectSome[order].all({
      state: state ?? null, kind: kind ?? null, project: project ?? null, before: before ?? null, limit: limit ?? -1,
    }).map(toJob),
    remembered: (project) => selectRemembered.all(project).map(({ sdist, sdist_filename, ...key }) => ({ ...key, sdist: { sha256: sdist, filename: sdist_filename } })),
    count: (state, kind) => count.get({ state, kind: kind ?? null }) ?? 0,
    retry: (id) => told(queueAgain.immediate(id)),
    cancel: (id, now) => told(end.immediate(id, now)),
    build(id): Build | undefined {
      const row = selectBuild.get(id)
      return row && toBuild(row)
    },
    builds: (job, limit) => selectBuilds.all(job, limit).map(toBuild),
    history: (project) => selectHistory.all(project, HISTORY),
    ahead: (ids) => new Map(rank.all(JSON.stringify(ids)).map(({ id, ahead }) => [id, ahead])),
    retryAt: (id) => selectRetry.get(id) ?? undefined,
  })
  return { ...port, watch: changes.watch }
}

function toKey(wish: Pick<Wish, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>): Key {
  return { kind: wish.kind, sdist: wish.sdist.sha256, target: wish.target, recipe: wish.recipe, image: wish.image }
}

/** Whether the wish raises the job. What is over is left as it is: wishing does not try again what failed. */
function isLow(row: JobRow, wish: Wish): boolean {
  return row.priority < wish.priority && (row.state === 'queued' || row.state === 'running')
}

function must<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('a statement with RETURNING gave no row')
  return row
}
