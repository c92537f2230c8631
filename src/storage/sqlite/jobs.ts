import type { Database } from 'better-sqlite3'
import type { Failure } from '../../domain/failure.ts'
import type { Job } from '../../domain/job.ts'
import type { Build, JobOrdering, JobStore } from '../../services/ports.ts'
import { createAdopt } from './adopt.ts'
import type { Changes } from './changes.ts'
import { COMPILED, toBuild, toJob, type BuildRow, type JobRow } from './job-row.ts'
import { createPause } from './pause.ts'
import { asPort } from './port.ts'
import { createRekey } from './rekey.ts'
import { CLAIM_ORDER, createRuns } from './runs.ts'
import { createWaiting } from './waiting.ts'
import { SIBLING, waiting, type Waits } from './waits.ts'
import type { Wishing } from './wishing.ts'

type Remembered = Pick<JobRow, 'sdist' | 'sdist_filename' | 'target' | 'recipe' | 'image'>

/** How many earlier builds an estimate is made from. */
const HISTORY = 20

/** The queue: jobs, wished for by many, run by one worker at a time. */
export function createJobs(db: Database, changes: Changes, wishing: Wishing, waits: Waits): JobStore {
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
  const cancel = db.prepare<{ id: number; failure: string; now: number }, JobRow>(`
    UPDATE jobs SET state = 'cancelled', failure = @failure, remembered = (kind IN ('metadata', 'build')), retry_at = NULL, lease_until = NULL, finished_at = @now
    WHERE id = @id AND state IN ('queued', 'running') RETURNING *`)
  const endBuild = db.prepare<[number, string, number | null]>('UPDATE builds SET finished_at = ?, failure = ? WHERE id = ? AND finished_at IS NULL')
  const selectBuild = db.prepare<[number], BuildRow>('SELECT * FROM builds WHERE id = ?')
  const selectBuilds = db.prepare<[number, number], BuildRow>('SELECT * FROM builds WHERE job = ? ORDER BY id DESC LIMIT ?')
  const selectHistory = db.prepare<{ project: string; target: string | null; most: number }, number>(`
    SELECT (builds.finished_at - builds.started_at) / 1000.0 FROM wheels JOIN builds ON builds.id = wheels.build
    WHERE wheels.project = @project AND (@target IS NULL OR wheels.target = @target) AND ${COMPILED} ORDER BY builds.id DESC LIMIT @most`).pluck()

  // In the order of claims, the queue read once for all that are asked about. A metadata job whose build is queued or runs is answered by
  // that, and goes before nobody; nor does what waits for others.
  const rank = db.prepare<[string], { id: number; ahead: number }>(`
    SELECT id, ahead FROM (
      SELECT id, coalesce(sum(goes) OVER (ORDER BY kind <> 'metadata', priority DESC, created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS ahead
      FROM (SELECT id, kind, priority, created_at,
          NOT ${waiting('jobs')} AND (kind <> 'metadata' OR NOT EXISTS (SELECT 1 FROM jobs AS twin WHERE ${SIBLING} AND twin.state IN ('queued', 'running'))) AS goes
        FROM jobs WHERE state = 'queued'))
    WHERE id IN (SELECT value FROM json_each(?))`)
  const selectUnderWay = db.prepare<{ id: number; now: number }, number>(`
    WITH RECURSIVE needed (id) AS (SELECT @id UNION SELECT waits_for FROM job_waits JOIN needed ON job = needed.id)
    SELECT EXISTS (SELECT 1 FROM jobs AS twin WHERE twin.state = 'running' AND twin.lease_until > @now
      AND (twin.id IN needed OR EXISTS (SELECT 1 FROM jobs WHERE jobs.id = @id AND jobs.kind = 'metadata' AND ${SIBLING})))`).pluck()
  const selectRunning = db.prepare<[], { id: number; project: string; target: string; startedAt: number }>(
    "SELECT id, project, target, started_at AS startedAt FROM jobs WHERE state = 'running' AND kind <> 'metadata' ORDER BY id")
  const selectQueue = db.prepare<[number], { id: number; project: string; target: string; needs: string }>(`
    SELECT id, project, target, (SELECT json_group_array(waits_for) FROM job_waits WHERE job = jobs.id) AS needs
    FROM jobs WHERE state = 'queued' AND kind <> 'metadata' ORDER BY ${CLAIM_ORDER} LIMIT ?`)
  const selectRetry = db.prepare<[number], number | null>("SELECT retry_at FROM jobs WHERE id = ? AND state = 'failed'").pluck()

  const make = db.transaction(wishing.make)
  const makeAnew = db.transaction(wishing.rebuild)
  const hasten = db.prepare<{ ids: string; now: number }>(`
    UPDATE jobs SET retry_at = @now WHERE id IN (SELECT value FROM json_each(@ids)) AND state = 'failed' AND retry_at > @now`)
  const queueAgain = db.transaction((id: number): Job | undefined => {
    wishing.again(id)
    return find(id)
  })

  const end = db.transaction((id: number, now: number): Job | undefined => {
    const failure = JSON.stringify({ class: 'cancelled', key: '' } satisfies Failure)
    const row = cancel.get({ id, failure, now })
    if (row) {
      endBuild.run(now, failure, row.build)
      waits.failed(row, now)
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
    ...createRuns(db, changes, waits),
    ...createAdopt(db, changes, wishing, waits),
    ...createRekey(db, changes, wishing, waits),
    ...createWaiting(db, changes, wishing),
    ...createPause(db, changes),
    wish(wish, now, bounds = []) {
      // Most wishes are for a job that is there and high enough: they need no lock.
      const satisfied = wishing.satisfied(wish)
      return satisfied ? { job: satisfied, created: false } : told(make.immediate(wish, now, bounds))
    },
    rebuild: (wish, now) => told(makeAnew.immediate(wish, now)),
    hasten: (ids, now) => hasten.run({ ids: JSON.stringify(ids), now }).changes,
    find: wishing.find,
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
    history(project, target) {
      const here = selectHistory.all({ project, target, most: HISTORY })
      return here.length > 0 ? here : selectHistory.all({ project, target: null, most: HISTORY })
    },
    ahead: (ids) => new Map(rank.all(JSON.stringify(ids)).map(({ id, ahead }) => [id, ahead])),
    outlook: (most) => ({
      running: selectRunning.all(),
      queued: selectQueue.all(most).map((row) => ({ ...row, needs: JSON.parse(row.needs) as number[] })),
    }),
    underWay: (id, now) => selectUnderWay.get({ id, now }) === 1,
    retryAt: (id) => selectRetry.get(id) ?? undefined,
  })
  return { ...port, watch: changes.watch }
}
