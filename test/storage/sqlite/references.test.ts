import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openSqlite } from '../../../src/storage/sqlite/open.ts'
import { NO_REFERENCES, REFERENCES } from '../../../src/storage/sqlite/references.ts'
import { temporaryFolder } from '../folder.ts'

/** What `gc` does not know to be needed it removes. */
test('every column of the schema that is named as one with digests is told to refer to blobs, or not to', async () => {
  const { folder, remove } = await temporaryFolder()
  const file = join(folder, 'muslin.db')
  openSqlite({ file }).close()
  const db = new Database(file)
  const columns = db.prepare<[], string>(`
    SELECT tables.name || '.' || columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' ORDER BY 1`).pluck().all()
  db.close()
  await remove()
  const known = [...REFERENCES.map(({ table, column }) => `${table}.${column}`), ...NO_REFERENCES]
  expect(columns).toEqual(expect.arrayContaining(known))
  const suspected = columns.filter((column) => /\.(.*_)?(sha256|blob|digest|hash|metadata|provenance|sdist)(_.*)?$/.test(column))
  expect(suspected.filter((column) => !known.includes(column)), 'add it to REFERENCES or NO_REFERENCES').toEqual([])
})
