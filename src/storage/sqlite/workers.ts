import type { Database } from 'better-sqlite3'
import type { WorkerStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

/** After a day of silence a worker is forgotten: every start has a name of its own. */
const FORGET_MS = 24 * 60 * 60 * 1000

/** What workers tell of themselves. */
export function createWorkers(db: Database): WorkerStore {
  const put = db.prepare<[string, string, number]>(`
    INSERT INTO workers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET targets = excluded.targets, seen_at = excluded.seen_at`)
  const forget = db.prepare<[number]>('DELETE FROM workers WHERE seen_at < ?')
  const heard = db.prepare<[number], string>('SELECT worker FROM workers WHERE seen_at >= ? ORDER BY worker').pluck()
  // The newest last: where two name different images for a target, hers counts.
  const select = db.prepare<[number], string>('SELECT targets FROM workers WHERE seen_at >= ? ORDER BY seen_at, worker').pluck()

  const hear = db.prepare<[string, number]>('INSERT INTO heard VALUES (?, ?) ON CONFLICT DO UPDATE SET heard_at = max(heard_at, excluded.heard_at)')
  const selectHeard = db.prepare<[string], number>('SELECT heard_at FROM heard WHERE target = ?').pluck()

  const beat = db.transaction((worker: string, targets: Record<string, string>, now: number) => {
    forget.run(now - FORGET_MS)
    put.run(worker, JSON.stringify(targets), now)
    for (const target of Object.keys(targets)) hear.run(target, now)
  })

  return asPort<WorkerStore>({
    beat(worker, targets, now) { beat.immediate(worker, targets, now) },
    live: (since) => heard.all(since),
    targets: (since) => new Map(select.all(since).flatMap((targets) => Object.entries(JSON.parse(targets) as Record<string, string>))),
    heard: (target) => selectHeard.get(target),
  })
}
