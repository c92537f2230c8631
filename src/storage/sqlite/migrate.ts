import type { Database } from 'better-sqlite3'
import { MuslinError } from '../../errors.ts'
import initial from './migrations/0001-initial.ts'

/** In their order, for ever: a released one is never changed, only followed by another. */
const MIGRATIONS: string[] = [initial]

/**
 * Brings the database to this program's schema, one transaction a step. Throws `data-folder` when a newer program wrote it. Of
 * several processes that start at once one does it and the others find it done.
 */
export function migrate(db: Database, migrations: string[] = MIGRATIONS): void {
  while (versionOf(db, migrations.length) < migrations.length) {
    db.transaction(() => {
      const version = versionOf(db, migrations.length)
      const next = migrations[version]
      if (next === undefined) return
      db.exec(next)
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}

function versionOf(db: Database, known: number): number {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version <= known) return version
  const detail = `its database was written by a newer Muslin (schema ${version}, this program knows ${known}); start that one, or name another data folder`
  throw new MuslinError('data-folder', detail)
}
