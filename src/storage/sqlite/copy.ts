import Database from 'better-sqlite3'
import { MuslinError } from '../../errors.ts'
import { diskError } from '../disk-error.ts'
import { SCHEMA } from './migrate.ts'

/**
 * Copies the database in `file`, as it is at one moment, whoever writes to it meanwhile: SQLite's online backup would begin anew with each
 * commit of another process. Returns the schema's version.
 */
export function copySqlite({ file, into }: { file: string; into: string }): number {
  let db: Database.Database | undefined
  try {
    db = new Database(file, { timeout: 10_000 })
    db.prepare('VACUUM INTO ?').run(into)
    return Number(db.pragma('user_version', { simple: true }))
  } catch (error) {
    throw diskError(error)
  } finally {
    db?.close()
  }
}

/**
 * Makes ready a copy that is to be a server's database from now on, beside blobs that are perhaps not all that it knows of. Throws
 * `bad-backup` for what is damaged, no database, or of a newer program.
 */
export function readyCopy(file: string): void {
  let db: Database.Database | undefined
  try {
    db = new Database(file)
    const version = Number(db.pragma('user_version', { simple: true }))
    if (version > SCHEMA) throw new MuslinError('bad-backup', `it was made by a newer Muslin (schema ${version}, this program knows ${SCHEMA}); restore it by that one`)
    const faults = db.prepare<[], string>('PRAGMA quick_check(1)').pluck().all().filter((line) => line !== 'ok')
    if (version < 1 || faults.length > 0) throw new MuslinError('bad-backup', 'its database is damaged; give another backup')
    const counts = db.prepare<[], number>("SELECT 1 FROM sqlite_schema WHERE name = 'cache_state'").pluck().get()
    if (counts === 1) db.exec('UPDATE cache_state SET counted = 0')
    db.pragma('journal_mode = DELETE')
  } catch (error) {
    if (error instanceof MuslinError) throw error
    throw new MuslinError('bad-backup', 'its database cannot be read; give another backup', { cause: error })
  } finally {
    db?.close()
  }
}
