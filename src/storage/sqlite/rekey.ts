import type { Database } from 'better-sqlite3'
import type { Priority } from '../../domain/job.ts'
import type { JobStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { toJob, type JobRow } from './job-row.ts'
import type { AtOnce } from './port.ts'
import type { Waits } from './waits.ts'
import type { Wishing } from './wishing.ts'

type Rekeyed = Awaited<ReturnType<JobStore['rekey']>>

/** Jobs whose recipe changed: what they would be remembered under is not what they would be built with. */
export function createRekey(db: Database, changes: Changes, wishing: Wishing, waits: Waits): AtOnce<Pick<JobStore, 'rekey'>> {
  const select = db.prepare<{ id: number; recipe: string }, JobRow>(
    "SELECT * FROM jobs WHERE id = @id AND recipe <> @recipe AND state IN ('queued', 'running', 'built')")
  const selectHeir = db.prepare<JobRow, JobRow>('SELECT * FROM jobs WHERE kind = @kind AND sdist = @sdist AND target = @target AND recipe = @recipe AND image = @image')
  // What failed did so by the recipe that it had.
  const change = db.prepare<{ id: number; recipe: string }>(`
    UPDATE jobs SET recipe = @recipe, attempts = iif(state = 'queued', 0, attempts), failure = NULL, remembered = 0 WHERE id = @id`)
  const rest = db.prepare<[number]>("UPDATE jobs SET state = 'queued', attempts = attempts - 1, lease_until = NULL, step = NULL WHERE id = ? AND state = 'running'")
  const endBuild = db.prepare<[number, number | null]>('UPDATE builds SET finished_at = ? WHERE id = ? AND finished_at IS NULL')

  const rekey = db.transaction((id: number, recipe: string, now: number): Rekeyed => {
    const row = select.get({ id, recipe })
    if (!row) return 'kept'
    const heir = selectHeir.get({ ...row, recipe })
    if (heir && row.state === 'built') return 'kept'
    if (heir) return moveOn(row, heir, now)
    waits.unfollow(id)
    change.run({ id, recipe })
    changes.bump(row.project)
    return 'changed'
  })

  /** The same is wished for with that recipe already: one of them is enough. */
  function moveOn(row: JobRow, heir: JobRow, now: number): Rekeyed {
    if (row.state === 'running' && rest.run(row.id).changes > 0) endBuild.run(now, row.build)
    const over = heir.state !== 'queued' && heir.state !== 'running'
    if (row.kind === 'rebuild') wishing.rebuild({ ...toJob(row), kind: 'rebuild', recipe: heir.recipe, priority: row.priority as Priority }, now)
    // What is remembered is only tried again by itself: that one says when. Else somebody has asked for it since.
    else if (over && heir.state !== 'built' && row.remembered === 0) wishing.again(heir.id)
    else if (over) {
      waits.follow(row.id, heir, now)
      return { follows: heir.id }
    }
    waits.await(row, heir)
    return { follows: heir.id }
  }

  return {
    rekey(...args) {
      const result = rekey.immediate(...args)
      if (result !== 'kept') changes.notify()
      return result
    },
  }
}
