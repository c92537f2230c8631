import type { Database } from 'better-sqlite3'
import type { Failure } from '../../domain/failure.ts'
import type { Priority } from '../../domain/job.ts'
import { boundFailure, circleFailure, failureOfNeed, LONGEST_CHAIN, MOST_NEEDS, MOST_WAITS, unmetFailure } from '../../domain/needs.ts'
import type { JobStore, Need } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { END_BUILD, type EndedBuild, type JobRow } from './job-row.ts'
import type { AtOnce } from './port.ts'
import { RUN } from './runs.ts'
import { ITSELF, TWIN } from './waits.ts'
import type { Wishing } from './wishing.ts'

type Waiting = Pick<JobStore, 'waitFor' | 'waitsFor'>
type Unmet = Parameters<Waiting['waitFor']>[1]['needs'][number]
type Link = Pick<JobRow, 'id' | 'project' | 'version' | 'sdist' | 'target'>

/** Jobs that wait for jobs: how they come to it, and what for. */
export function createWaiting(db: Database, changes: Changes, wishing: Wishing): AtOnce<Waiting> {
  const selectRun = db.prepare<{ build: number }, JobRow>(`SELECT * FROM jobs WHERE ${RUN}`)
  const selectNext = db.prepare<[number], Link>(
    'SELECT id, project, version, sdist, target FROM jobs JOIN job_waits ON waits_for = id WHERE job = ? ORDER BY id')
  const selectDepth = db.prepare<[number], number>(`
    WITH RECURSIVE above (id, depth) AS (
      SELECT ?, 0 UNION SELECT job, depth + 1 FROM job_waits JOIN above ON waits_for = above.id WHERE depth < ${LONGEST_CHAIN})
    SELECT max(depth) FROM above`).pluck()
  const rest = db.prepare<{ build: number }>(`
    UPDATE jobs SET state = 'queued', attempts = attempts - 1, waited = waited + 1, lease_until = NULL, step = NULL WHERE ${RUN}`)
  const endBuild = db.prepare<EndedBuild>(END_BUILD)
  const insert = db.prepare<[number, number, string]>('INSERT INTO job_waits VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const insertTwins = db.prepare<{ id: number }>(`
    INSERT INTO job_waits SELECT jobs.id, waits_for, requirement FROM jobs JOIN jobs AS twin ON ${TWIN} JOIN job_waits ON job = twin.id
    WHERE twin.id = @id AND jobs.kind = 'metadata' AND jobs.state = 'queued' ON CONFLICT DO NOTHING`)
  const selectNeeds = db.prepare<[string], Need & { waiting: number }>(`
    SELECT job_waits.job AS waiting, id AS job, project, version, requirement FROM job_waits JOIN jobs ON id = waits_for
    WHERE job_waits.job IN (SELECT value FROM json_each(?)) AND state IN ('queued', 'running') AND requirement <> '${ITSELF}' ORDER BY id`)

  const waitFor = db.transaction((...[build, { needs, failure, record }, now]: Parameters<Waiting['waitFor']>): Awaited<ReturnType<Waiting['waitFor']>> => {
    const run = selectRun.get({ build })
    if (!run) return 'lost'
    const refused = refusalOf(run, needs)
    if (refused) return { refused }
    endBuild.run({ build, now, failure: JSON.stringify(failure), record: record === undefined ? null : JSON.stringify(record) })
    rest.run({ build })
    for (const { requirement, wish } of needs) {
      const { job } = wishing.make({ ...wish, priority: run.priority as Priority, askedBy: run.asked_by }, now, [])
      if (job.state !== 'built') insert.run(run.id, job.id, requirement)
    }
    insertTwins.run({ id: run.id })
    return 'waits'
  })

  function refusalOf(run: JobRow, needs: Unmet[]): Failure | undefined {
    if (needs.length > MOST_NEEDS) return boundFailure(needs[MOST_NEEDS]!.requirement, 'needs')
    for (const { requirement, wish } of needs) {
      if (run.waited >= MOST_WAITS) return boundFailure(requirement, 'waits')
      const there = wishing.find(wish)
      const link = { id: there?.id ?? 0, project: wish.project, version: wish.version, sdist: wish.sdist.sha256, target: wish.target }
      const path = circle(run, link, new Set())
      if (path) return circleFailure(requirement, [run, ...path])
      if ((selectDepth.get(run.id) ?? 0) >= LONGEST_CHAIN) return boundFailure(requirement, 'chain')
      if (there?.state === 'failed' || there?.state === 'cancelled') return failureOfNeed(requirement, there)
      if (there?.state === 'built' && (there.finishedAt ?? 0) < (run.started_at ?? 0)) return unmetFailure(requirement, there)
    }
    return undefined
  }

  /** The releases from `link` to one of the run's own sdist, by way of what each waits for; undefined where none leads there. */
  function circle(run: JobRow, link: Link, seen: Set<number>): Link[] | undefined {
    if (link.sdist === run.sdist && link.target === run.target) return [link]
    if (seen.has(link.id)) return undefined
    seen.add(link.id)
    for (const next of selectNext.all(link.id)) {
      const path = circle(run, next, seen)
      if (path) return [link, ...path]
    }
    return undefined
  }

  return {
    waitFor(...args) {
      const result = waitFor.immediate(...args)
      if (result === 'waits') changes.notify()
      return result
    },
    waitsFor: (ids) => new Map([...Map.groupBy(selectNeeds.all(JSON.stringify(ids)), ({ waiting }) => waiting)]
      .map(([id, needs]) => [id, needs.map(({ waiting: _, ...need }) => need)])),
  }
}
