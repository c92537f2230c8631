import type { Database } from 'better-sqlite3'
import { PRIORITY, type Job, type Wish } from '../../domain/job.ts'
import type { WishBound } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { toJob, type JobRow } from './job-row.ts'
import { TWIN, type Waits } from './waits.ts'

type Key = Pick<JobRow, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>
type NewRow = Key & Pick<JobRow, 'project' | 'version' | 'sdist_filename' | 'asked_by' | 'priority' | 'created_at'>

/** How wishes become jobs. Both `make` and `again` belong into a transaction of their caller's, who tells of the change after it. */
export interface Wishing {
  find(wish: Pick<Wish, 'kind' | 'sdist' | 'target' | 'recipe' | 'image'>): Job | undefined
  /** The job as it is, where the wish would change nothing. */
  satisfied(wish: Wish): Job | undefined
  make(wish: Wish, now: number, bounds: WishBound[]): { job: Job; created: boolean }
  /** Makes a rebuild, or queues it anew where it is over. */
  rebuild(wish: Wish, now: number): { job: Job; created: boolean }
  /** Queues a failed or cancelled job again, a build with its metadata job, and the one whose failure it failed of. */
  again(id: number): void
}

export function createWishing(db: Database, changes: Changes, waits: Waits): Wishing {
  const select = db.prepare<Key, JobRow>(
    'SELECT * FROM jobs WHERE kind = @kind AND sdist = @sdist AND target = @target AND recipe = @recipe AND image = @image')
  const insert = db.prepare<NewRow, JobRow>(`
    INSERT INTO jobs (kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, created_at)
    VALUES (@kind, @project, @version, @sdist, @sdist_filename, @target, @recipe, @image, @asked_by, @priority, @created_at) RETURNING *`)
  const raise = db.prepare<[number, number], JobRow>('UPDATE jobs SET priority = ? WHERE id = ? RETURNING *')
  // What nobody waits for must not shut people out: failures are queued again when their time is over, and locks prebuilt, however many.
  const countWanted = db.prepare<[number], number>("SELECT count(*) FROM jobs WHERE state = 'queued' AND priority > ?").pluck()
  const countBy = db.prepare<[string, number, string], number>(
    'SELECT count(*) FROM jobs WHERE asked_by = ? AND created_at >= ? AND kind = ?').pluck()
  const selectCause = db.prepare<[number], number | null>("SELECT json_extract(failure, '$.job') FROM jobs WHERE id = ?").pluck()
  const retry = db.prepare<{ id: number; priority: number }, JobRow>(`
    UPDATE jobs SET state = 'queued', priority = max(priority, @priority), attempts = 0, waited = 0, failure = NULL, remembered = 0, retry_at = NULL, step = NULL,
      passed_at = NULL, finished_at = NULL
    WHERE id = @id AND state IN ('failed', 'cancelled') RETURNING *`)

  const selectMetadata = db.prepare<[number], number>(`SELECT jobs.id FROM jobs JOIN jobs AS twin ON ${TWIN} WHERE twin.id = ? AND jobs.kind = 'metadata'`).pluck()
  const forget = db.prepare<[number]>("UPDATE jobs SET remembered = 0 WHERE id = ? AND state = 'built'")
  const anew = db.prepare<{ id: number; priority: number; askedBy: string; now: number }, JobRow>(`
    UPDATE jobs SET state = 'queued', priority = @priority, asked_by = @askedBy, created_at = @now, attempts = 0, waited = 0, failure = NULL, remembered = 0,
      retry_at = NULL, step = NULL, passed_at = NULL, finished_at = NULL, metadata_changed = 0
    WHERE id = @id AND state IN ('built', 'failed', 'cancelled') RETURNING *`)

  return {
    find(wish) {
      const row = select.get(toKey(wish))
      return row && toJob(row)
    },
    satisfied(wish) {
      const row = select.get(toKey(wish))
      return row && !isLow(row, wish) ? toJob(row) : undefined
    },
    make,
    rebuild(wish, now) {
      const { job, created } = make(wish, now, [])
      const row = anew.get({ id: job.id, priority: wish.priority, askedBy: wish.askedBy, now })
      return row ? { job: toJob(row), created: true } : { job, created }
    },
    again,
  }

  function make(wish: Wish, now: number, bounds: WishBound[]): { job: Job; created: boolean } {
    const found = select.get(toKey(wish))
    if (found) {
      if (!isLow(found, wish)) return { job: toJob(found), created: false }
      waits.raise(found.id, wish.priority)
      return { job: toJob(must(raise.get(wish.priority, found.id))), created: false }
    }
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

  function again(id: number): void {
    const cause = selectCause.get(id)
    const row = retry.get({ id, priority: PRIORITY.asked })
    if (!row) return
    waits.forget(id)
    changes.bump(row.project)
    // What failed with it, or before it, would keep the release from being promised.
    const metadata = row.kind === 'build' ? selectMetadata.get(id) : undefined
    if (metadata !== undefined) {
      forget.run(metadata)
      again(metadata)
    }
    // It would fail again at once.
    if (typeof cause === 'number') again(cause)
  }
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
