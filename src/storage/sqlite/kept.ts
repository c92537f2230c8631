import type { Database } from 'better-sqlite3'
import type { KeptFile, KeptStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

type KeptRow = Omit<KeptFile, 'etag' | 'fetchedAt'> & { etag: string | null; fetched_at: number }

/** Files that are proxied by their path. */
export function createKept(db: Database): KeptStore {
  const select = db.prepare<[string], KeptRow>('SELECT * FROM kept_files WHERE path = ?')
  const put = db.prepare<[KeptRow]>(`
    INSERT INTO kept_files (path, sha256, size, etag, fetched_at) VALUES (@path, @sha256, @size, @etag, @fetched_at)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, etag = excluded.etag, fetched_at = excluded.fetched_at`)
  const selectSource = db.prepare<[string], string>('SELECT url FROM kept_sources WHERE path = ?').pluck()
  const putSource = db.prepare<[string, string]>('INSERT INTO kept_sources VALUES (?, ?) ON CONFLICT DO UPDATE SET url = excluded.url')

  return asPort<KeptStore>({
    get(path) {
      const row = select.get(path)
      return row && { path: row.path, sha256: row.sha256, size: row.size, etag: row.etag ?? undefined, fetchedAt: row.fetched_at }
    },
    put({ etag, fetchedAt, ...file }) { put.run({ ...file, etag: etag ?? null, fetched_at: fetchedAt }) },
    source: (path) => selectSource.get(path),
    setSource(path, url) { putSource.run(path, url) },
  })
}
