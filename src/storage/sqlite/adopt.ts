import type { Database } from 'better-sqlite3'
import type { Failure } from '../../domain/failure.ts'
import type { Priority } from '../../domain/job.ts'
import type { JobStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { toJob, type JobRow } from './job-row.ts'
import type { AtOnce } from './port.ts'
import type { Waits } from './waits.ts'
import type { Wishing } from './wishing.ts'

type Orphan = JobRow & { new_image: string }

/** Jobs whose builder image is gone: what they would be remembered under is not what they would be built with. */
export function createAdopt(db: Database, changes: Changes, wishing: Wishing, waits: Waits): AtOnce<Pick<JobStore, 'adopt'>> {
  // While another worker still has the image the job is hers: two images at once, as in a rolling upgrade, take nothing from each other.
  const selectOrphans = db.prepare<{ targets: string; since: number; now: number }, Orphan>(`
    SELECT jobs.*, ready.value AS new_image FROM jobs JOIN json_each(@targets) AS ready ON ready.key = jobs.target AND ready.value <> jobs.image
    WHERE (state = 'queued' OR (state = 'running' AND lease_until <= @now))
      AND NOT EXISTS (SELECT 1 FROM workers, json_each(workers.targets) AS told
        WHERE seen_at >= @since AND told.key = jobs.target AND told.value = jobs.image)
    ORDER BY jobs.id`)
  const selectHeir = db.prepare<Orphan, JobRow>(`
    SELECT * FROM jobs WHERE kind = @kind AND sdist = @sdist AND target = @target AND recipe = @recipe AND image = @new_image`)
  const endBuild = db.prepare<[number, string, number | null]>('UPDATE builds SET finished_at = ?, failure = ? WHERE id = ?')
  const queue = db.prepare<[number]>("UPDATE jobs SET state = 'queued', lease_until = NULL, step = NULL WHERE id = ?")
  const rekey = db.prepare<Orphan>(`
    UPDATE jobs SET image = @new_image, attempts = 0, failure = NULL, remembered = 0 WHERE id = @id`)
  const raise = db.prepare<[number, number, number]>("UPDATE jobs SET priority = ? WHERE id = ? AND state IN ('queued', 'running') AND priority < ?")

  const adopt = db.transaction((targets: string, since: number, now: number): number => {
    let changed = 0
    for (const orphan of selectOrphans.all({ targets, since, now })) {
      if (orphan.state === 'running') {
        endBuild.run(now, JSON.stringify({ class: 'infrastructure', key: 'the worker died' } satisfies Failure), orphan.build)
        changed += queue.run(orphan.id).changes
      }
      changed += moveOn(orphan, now)
    }
    return changed
  })

  /** Where the same is wished for with the new image already, one job is enough: the orphan waits, and ends as that one does. */
  function moveOn(orphan: Orphan, now: number): number {
    const heir = selectHeir.get(orphan)
    if (!heir) return rekey.run(orphan).changes
    // What a rebuild made that is over already is what this one was ordered for.
    if (orphan.kind === 'rebuild') {
      const { job, created } = wishing.rebuild({ ...toJob(orphan), kind: 'rebuild', image: heir.image, priority: orphan.priority as Priority }, now)
      waits.await(orphan, heir)
      return created || job.priority > heir.priority ? 1 : 0
    }
    if (heir.state === 'queued' || heir.state === 'running') return raise.run(orphan.priority, heir.id, orphan.priority).changes
    waits.follow(orphan.id, { ...heir, retry_at: null }, now)
    return 1
  }

  return {
    adopt(targets, since, now) {
      const changed = adopt.immediate(JSON.stringify(targets), since, now)
      if (changed > 0) changes.notify()
      return changed
    },
  }
}
