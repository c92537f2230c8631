import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import Database from 'better-sqlite3'
import { MuslinError } from '../../errors.ts'
import type { Comparison, Holding, HoldingKind, Inspection, StoredBlob } from '../../services/ports.ts'
import { diskError } from '../disk-error.ts'
import { DIGEST_PARTS, LAST_DIGEST } from './digest-parts.ts'
import { REFERENCES } from './references.ts'

const AT_ONCE = 1000
const decompress = promisify(zstdDecompress)

/**
 * Looks through the database in `file`, each time on a connection of its own that changes nothing in it. Lists that grow with it are
 * temporary tables, which SQLite keeps on disk. Throws `data-folder` where there is none, or it cannot be read.
 */
export function inspectSqlite({ file }: { file: string }): Inspection {
  return {
    compare: (stored) => compare(open(file), stored),
    async faults() {
      return reading(file, (db) => [
        ...db.prepare<[], string>('PRAGMA integrity_check').pluck().all().filter((line) => line !== 'ok'),
        ...(db.pragma('foreign_key_check') as { table: string; parent: string }[]).map(({ table, parent }) => `a row of ${table} refers to none of ${parent}`),
      ])
    },
    badPages: () => badPages(file),
    wheels: () => wheels(file),
    async unknownBuilds(numbers) {
      return reading(file, (db) => {
        const known = db.prepare<[number], number>('SELECT 1 FROM builds WHERE id = ?').pluck()
        return numbers.filter((number) => known.get(number) === undefined)
      })
    },
  }
}

function open(file: string): Database.Database {
  if (!existsSync(file)) throw new MuslinError('data-folder', 'it has no database; name another by --data')
  try {
    const db = new Database(file, { timeout: 10_000 })
    db.pragma('query_only = ON')
    return db
  } catch (error) {
    throw diskError(error)
  }
}

function reading<T>(file: string, work: (db: Database.Database) => T): T {
  const db = open(file)
  try {
    return work(db)
  } catch (error) {
    throw diskError(error)
  } finally {
    db.close()
  }
}

async function compare(db: Database.Database, stored: AsyncIterable<StoredBlob>): Promise<Comparison> {
  try {
    // Temporary tables are none of the database, but SQLite counts them as written to.
    db.pragma('query_only = OFF')
    db.exec(`
      CREATE TEMP TABLE stored (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, kept_at INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TEMP TABLE needed (sha256 TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (sha256, kind, name)) WITHOUT ROWID`)
    await fill(db, stored)
    for (const reference of REFERENCES.filter(({ table, column }) => hasColumn(db, table, column))) await note(db, reference)
    return comparisonOf(db)
  } catch (error) {
    db.close()
    throw diskError(error)
  }
}

async function fill(db: Database.Database, stored: AsyncIterable<StoredBlob>): Promise<void> {
  const insert = db.prepare<StoredBlob>('INSERT OR IGNORE INTO temp.stored VALUES (@sha256, @size, @keptAt)')
  const insertAll = db.transaction((blobs: StoredBlob[]) => { for (const blob of blobs) insert.run(blob) })
  let batch: StoredBlob[] = []
  for await (const blob of stored) {
    if (batch.push(blob) < AT_ONCE) continue
    insertAll(batch)
    batch = []
  }
  insertAll(batch)
}

/** Where there is a row for each file that a page ever named, or for each that is stored, it is gone through by parts, since requests may wait. */
async function note(db: Database.Database, { kind, table, column, name, stored }: (typeof REFERENCES)[number]): Promise<void> {
  const parts = table === 'files' || table === 'cached_files' ? DIGEST_PARTS : [{ from: '', to: LAST_DIGEST }]
  const key = table === 'files' ? 'sha256' : column
  const insert = db.prepare<{ kind: string; from: string; to: string }>(`
    INSERT OR IGNORE INTO temp.needed SELECT ${column}, @kind, ${name} FROM main.${table}
    WHERE ${key} >= @from AND ${key} < @to AND length(${column}) = 64 ${stored ? '' : `AND ${column} IN (SELECT sha256 FROM temp.stored)`}`)
  for (const part of parts) {
    insert.run({ kind, ...part })
    await setImmediate()
  }
}

/** A copy may be of an older program. */
function hasColumn(db: Database.Database, table: string, column: string): boolean {
  return (db.pragma(`main.table_info(${table})`) as { name: string }[]).some(({ name }) => name === column)
}

function comparisonOf(db: Database.Database): Comparison {
  const totals = db.prepare<[], { blobs: number; bytes: number }>('SELECT count(*) AS blobs, coalesce(sum(size), 0) AS bytes FROM temp.stored')
  const some = db.prepare<[string], { sha256: string; size: number; kept_at: number }>(`SELECT * FROM temp.stored WHERE sha256 > ? ORDER BY sha256 LIMIT ${AT_ONCE}`)
  const holdings = db.prepare<[string], { kind: HoldingKind; name: string }>('SELECT kind, name FROM temp.needed WHERE sha256 = ? ORDER BY kind, name')
  const absent = db.prepare<{ sha256: string; kind: string; name: string }, Holding>(`
    SELECT sha256, kind, name FROM temp.needed WHERE (sha256, kind, name) > (@sha256, @kind, @name) AND sha256 NOT IN (SELECT sha256 FROM temp.stored)
    ORDER BY sha256, kind, name LIMIT ${AT_ONCE}`)
  return {
    stored: () => totals.get() ?? { blobs: 0, bytes: 0 },
    *blobs() {
      for (let batch = some.all(''); batch.length > 0; batch = some.all(batch.at(-1)!.sha256)) {
        for (const { sha256, size, kept_at } of batch) yield { sha256, size, keptAt: kept_at, holdings: holdings.all(sha256).map((row) => ({ sha256, ...row })) }
      }
    },
    *missing() {
      for (let batch = absent.all({ sha256: '', kind: '', name: '' }); batch.length > 0; batch = absent.all(batch.at(-1)!)) yield* batch
    },
    close() { db.close() },
  }
}

async function* badPages(file: string): AsyncGenerator<string> {
  const db = open(file)
  try {
    const next = db.prepare<[string], { project: string; json: Buffer }>('SELECT project, json FROM pages WHERE project > ? AND json IS NOT NULL ORDER BY project LIMIT 1')
    for (let row = next.get(''); row; row = next.get(row.project)) {
      const good = await decompress(row.json).then((json) => void JSON.parse(json.toString())).then(() => true, () => false)
      if (!good) yield row.project
    }
  } catch (error) {
    throw diskError(error)
  } finally {
    db.close()
  }
}

async function* wheels(file: string): AsyncGenerator<{ sha256: string; filename: string; metadata: string }> {
  const db = open(file)
  try {
    const next = db.prepare<[string], { sha256: string; filename: string; metadata: string }>(
      'SELECT sha256, filename, metadata FROM wheels WHERE filename > ? ORDER BY filename LIMIT 1')
    for (let row = next.get(''); row; row = next.get(row.filename)) yield row
  } finally {
    db.close()
  }
}
