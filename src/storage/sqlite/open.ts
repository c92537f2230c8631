import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { Store } from '../../services/ports.ts'
import { diskError } from '../disk-error.ts'
import { createCache } from './cache.ts'
import { createChanges } from './changes.ts'
import { createDownloads } from './downloads.ts'
import { createGlance } from './glance.ts'
import { createJobs } from './jobs.ts'
import { createKept } from './kept.ts'
import { createMend } from './mend.ts'
import { createMetadata } from './metadata.ts'
import { migrate } from './migrate.ts'
import { createPages } from './pages.ts'
import { asPort } from './port.ts'
import { createPrebuilds } from './prebuilds.ts'
import { createRecipes } from './recipes.ts'
import { createResults } from './results.ts'
import { createSecrets } from './secrets.ts'
import { createSessions } from './sessions.ts'
import { createUnchanged } from './unchanged.ts'
import { createWaits } from './waits.ts'
import { createWheels } from './wheels.ts'
import { createWishing } from './wishing.ts'
import { createWorkers } from './workers.ts'

/**
 * Opens the database in `file`, made and brought to this program's schema where needed. Any number of processes of this machine
 * may have it open. Throws `data-folder` when it cannot be used or was written by a newer program, `disk-full` when there is no room.
 */
export function openSqlite({ file }: { file: string }): Store {
  let db: Database.Database | undefined
  try {
    makePrivate(file)
    db = new Database(file, { timeout: 10_000 })
    prepare(db)
    migrate(db)
    return storeOf(db)
  } catch (error) {
    db?.close()
    throw diskError(error)
  }
}

/** Secrets lie in it: it is its owner's alone, as are the files that SQLite puts beside it, which take its mode. */
function makePrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // An existing file is not opened: closing it would end the locks that SQLite holds on it in this process (POSIX).
  if (existsSync(file)) chmodSync(file, 0o600)
  else closeSync(openSync(file, 'a', 0o600))
}

function prepare(db: Database.Database): void {
  db.pragma('journal_mode = WAL')
  // Not NORMAL, which may forget the last commits in a power cut: a wheel that was served and then forgotten would be built
  // again, and its name would mean two different files.
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('journal_size_limit = 67108864')
}

function storeOf(db: Database.Database): Store {
  const unchanged = createUnchanged(db)
  const changes = createChanges(db, unchanged)
  const waits = createWaits(db, changes)
  const wishing = createWishing(db, changes, waits)
  return {
    pages: createPages(db, changes),
    wheels: createWheels(db, changes, waits),
    metadata: createMetadata(db, changes),
    jobs: createJobs(db, changes, wishing, waits),
    workers: createWorkers(db),
    secrets: createSecrets(db),
    prebuilds: createPrebuilds(db, changes, wishing),
    sessions: createSessions(db),
    downloads: createDownloads(db),
    results: createResults(db),
    recipes: createRecipes(db, changes),
    kept: createKept(db),
    glance: createGlance(db, { changes, unchanged }),
    cache: createCache(db),
    mend: createMend(db, changes),
    ...asPort<Pick<Store, 'generation'>>({ generation: changes.generation }),
    close() {
      changes.close()
      db.close()
    },
  }
}
