import type { Database } from 'better-sqlite3'
import { servedAs } from '../../domain/owner.ts'
import type { Glance } from '../../services/ports.ts'
import { diskError } from '../disk-error.ts'
import type { Changes } from './changes.ts'
import type { Unchanged } from './unchanged.ts'

interface FileRow { project: string; metadata: string | null }

/** Each is a prepared statement or two, of some microseconds, asked again when something was written, by whichever process. */
export function createGlance(db: Database, { changes, unchanged: { said } }: { changes: Changes; unchanged: Unchanged }): Glance {
  const selectPause = db.prepare<[], number>('SELECT 1 FROM pause').pluck()
  const selectTargets = db.prepare<[], { targets: string; seen_at: number }>('SELECT targets, seen_at FROM workers ORDER BY seen_at, worker')
  const selectRebuilt = db.prepare<[string], number>('SELECT 1 FROM wheels WHERE project = ? GROUP BY sdist, target HAVING count(*) > 1 LIMIT 1').pluck()
  const selectFile = db.prepare<{ sha256: string; filename: string }, FileRow & { projects: number }>(`
    SELECT project, metadata, 1 AS projects FROM wheels WHERE sha256 = @sha256 AND filename = @filename
    UNION ALL SELECT project, metadata, (SELECT count(*) FROM files AS other WHERE other.sha256 = @sha256 AND other.filename = @filename)
    FROM files WHERE sha256 = @sha256 AND filename = @filename LIMIT 1`)
  const selectListed = db.prepare<[string, string], FileRow>('SELECT project, metadata FROM files WHERE sha256 = ? AND filename = ? ORDER BY seen_at, project')

  return named({
    generation: (project) => said(`generation ${project}`, () => changes.generation(project)),
    rebuilt: (project) => said(`rebuilt ${project}`, () => selectRebuilt.get(project) !== undefined),
    paused: () => said('paused', () => selectPause.get() !== undefined),
    targets: (since) => new Map(said('workers', workers).flatMap(({ targets, seenAt }) => seenAt < since ? [] : targets)),
    file: (sha256, filename) => said(`file ${sha256} ${filename}`, () => {
      const row = selectFile.get({ sha256, filename })
      return row && servedAs(filename, (row.projects === 1 ? [row] : selectListed.all(sha256, filename)).map(({ project, metadata }) => ({ project, metadata: metadata ?? undefined })))
    }),
  })

  function workers(): { targets: [string, string][]; seenAt: number }[] {
    return selectTargets.all().map(({ targets, seen_at }) => ({ targets: Object.entries(JSON.parse(targets) as Record<string, string>), seenAt: seen_at }))
  }
}

/** Every failure of disk or database as a MuslinError. */
function named<Methods extends object>(methods: Methods): Methods {
  const entries = Object.entries(methods as Record<string, (...args: unknown[]) => unknown>).map(([name, method]) => [name, (...args: unknown[]) => {
    try {
      return method(...args)
    } catch (error) {
      throw diskError(error)
    }
  }])
  return Object.fromEntries(entries) as Methods
}
