import type { Database } from 'better-sqlite3'
import type { KeptResult, ResultStore, WheelSystem } from '../../services/ports.ts'
import { asPort } from './port.ts'

type ResultRow = Omit<KeptResult, 'system'> & { system: string | null }

/** Abi3 and pure wheels as their builds made them. */
export function createResults(db: Database): ResultStore {
  // The same build, run again, gives the same wheel: the newest counts.
  const put = db.prepare<[ResultRow & { now: number }]>(`
    INSERT INTO results (sdist, recipe, filename, sha256, size, build, system, created_at)
    VALUES (@sdist, @recipe, @filename, @sha256, @size, @build, @system, @now)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, build = excluded.build, system = excluded.system, created_at = excluded.created_at`)
  const select = db.prepare<[string, string], ResultRow>(
    'SELECT sdist, recipe, filename, sha256, size, build, system FROM results WHERE sdist = ? AND recipe = ? ORDER BY build DESC, filename')

  return asPort<ResultStore>({
    put({ system, ...result }, now) { put.run({ ...result, system: system === undefined ? null : JSON.stringify(system), now }) },
    of: (sdist, recipe) => select.all(sdist, recipe).map(({ system, ...row }) => ({ ...row, system: system === null ? undefined : JSON.parse(system) as WheelSystem })),
  })
}
