import type { Database } from 'better-sqlite3'
import { MuslinError } from '../../errors.ts'
import initial from './migrations/0001-initial.ts'
import firstLook from './migrations/0002-first-look.ts'
import builder from './migrations/0003-builder.ts'
import endings from './migrations/0004-endings.ts'
import freshness from './migrations/0006-freshness.ts'
import policy from './migrations/0007-policy.ts'
import cache from './migrations/0008-cache.ts'
import files from './migrations/0009-files.ts'
import projectsFiles from './migrations/0010-projects-files.ts'
import sources from './migrations/0011-sources.ts'

/** In their order, for ever: a released one is never changed, only followed by another. */
const MIGRATIONS: string[] = [initial, firstLook, builder, endings, freshness, policy, cache, files, projectsFiles, sources]
/** The `user_version` of a database of this program. */
export const SCHEMA = MIGRATIONS.length

/**
 * Brings the database to this program's schema, one transaction a step. Throws `data-folder` when a newer program wrote it. Of
 * several processes that start at once one does it and the others find it done.
 */
export function migrate(db: Database, migrations: string[] = MIGRATIONS): void {
  // A table that others refer to can only be made anew while references are not watched, and within a transaction SQLite does
  // not change that: they are checked at the end of each step instead.
  const watched = Number(db.pragma('foreign_keys', { simple: true }))
  db.pragma('foreign_keys = OFF')
  try {
    while (versionOf(db, migrations.length) < migrations.length) db.transaction(step).immediate(db, migrations)
  } finally {
    db.pragma(`foreign_keys = ${watched}`)
  }
}

function step(db: Database, migrations: string[]): void {
  const version = versionOf(db, migrations.length)
  const next = migrations[version]
  if (next === undefined) return
  db.exec(next)
  const broken = db.pragma('foreign_key_check') as { table: string; parent: string }[]
  if (broken[0]) throw new Error(`migration ${version + 1} broke a reference of ${broken[0].table} to ${broken[0].parent}`)
  db.pragma(`user_version = ${version + 1}`)
}

function versionOf(db: Database, known: number): number {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version <= known) return version
  const detail = `its database was written by a newer Muslin (schema ${version}, this program knows ${known}); start that one, or name another data folder`
  throw new MuslinError('data-folder', detail)
}
