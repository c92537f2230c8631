import type { Database } from 'better-sqlite3'
import type { NewPrebuild, PrebuildStore, StoredPrebuild, StoredPrebuildLine } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'
import type { Wishing } from './wishing.ts'

interface PrebuildRow { id: number; created_at: number; asked_by: string; name: string; targets: string }
interface LineRow { plan: string; job: number | null; left_out: number }

/** Plans that somebody had built. */
export function createPrebuilds(db: Database, changes: Changes, wishing: Wishing): PrebuildStore {
  const insert = db.prepare<[number, string, string, string]>('INSERT INTO prebuilds (created_at, asked_by, name, targets) VALUES (?, ?, ?, ?)')
  const insertLine = db.prepare<LineRow & { prebuild: number; number: number }>(
    'INSERT INTO prebuild_lines VALUES (@prebuild, @number, @plan, @job, @left_out)')
  const select = db.prepare<[number], PrebuildRow>('SELECT * FROM prebuilds WHERE id = ?')
  const selectLines = db.prepare<[number], LineRow>('SELECT plan, job, left_out FROM prebuild_lines WHERE prebuild = ? ORDER BY number')
  const selectSome = db.prepare<[number], PrebuildRow>('SELECT * FROM prebuilds ORDER BY id DESC LIMIT ?')

  const create = db.transaction((prebuild: NewPrebuild): number => {
    const id = Number(insert.run(prebuild.createdAt, prebuild.askedBy, prebuild.name, JSON.stringify(prebuild.targets)).lastInsertRowid)
    for (const [number, { plan, wish, again = false, leftOut }] of prebuild.lines.entries()) {
      const job = wish && wishing.make(wish, prebuild.createdAt, []).job
      if (again && job && (job.state === 'failed' || job.state === 'cancelled')) wishing.again(job.id)
      insertLine.run({ prebuild: id, number, plan: JSON.stringify(plan), job: job?.id ?? null, left_out: leftOut ? 1 : 0 })
    }
    return id
  })

  return asPort<PrebuildStore>({
    create(prebuild) {
      const id = create.immediate(prebuild)
      changes.notify()
      return id
    },
    get(id) {
      const row = select.get(id)
      return row && { ...toPrebuild(row), lines: selectLines.all(id).map(toLine) }
    },
    list: (limit) => selectSome.all(limit).map(toPrebuild),
  })
}

function toPrebuild(row: PrebuildRow): Omit<StoredPrebuild, 'lines'> {
  return { id: row.id, createdAt: row.created_at, askedBy: row.asked_by, name: row.name, targets: JSON.parse(row.targets) as string[] }
}

function toLine(row: LineRow): StoredPrebuildLine {
  return { plan: JSON.parse(row.plan) as Record<string, unknown>, job: row.job ?? undefined, leftOut: row.left_out === 1 }
}
