import type { Database } from 'better-sqlite3'
import type { KeptResult, ResultStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

/** Abi3 and pure wheels as their builds made them. */
export function createResults(db: Database): ResultStore {
  // The same build, run again, gives the same wheel: the newest counts.
  const put = db.prepare<[KeptResult & { now: number }]>(`
    INSERT INTO results (sdist, recipe, filename, sha256, size, build, created_at) VALUES (@sdist, @recipe, @filename, @sha256, @size, @build, @now)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, build = excluded.build, created_at = excluded.created_at`)
  const select = db.prepare<[string, string], KeptResult>(
    'SELECT sdist, recipe, filename, sha256, size, build FROM results WHERE sdist = ? AND recipe = ? ORDER BY build DESC, filename')

  return asPort<ResultStore>({
    put(result, now) { put.run({ ...result, now }) },
    of: (sdist, recipe) => select.all(sdist, recipe),
  })
}
