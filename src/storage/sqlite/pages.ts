import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Database } from 'better-sqlite3'
import type { PageStore, StoredPage, UpstreamFile } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

interface PageRow { project: string; json: Buffer | null; url: string; etag: string | null; fetched_at: number }
type FileRow = Omit<UpstreamFile, 'metadata' | 'size'> & { metadata: string | null; size: number | null }
interface ListRow { sha256: string; etag: string | null; fetched_at: number }

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The upstream's pages and every file they ever named. */
export function createPages(db: Database, changes: Changes): PageStore {
  const selectPage = db.prepare<[string], PageRow>('SELECT * FROM pages WHERE project = ?')
  const putPage = db.prepare<[PageRow]>(`
    INSERT INTO pages VALUES (@project, @json, @url, @etag, @fetched_at)
    ON CONFLICT DO UPDATE SET json = excluded.json, url = excluded.url, etag = excluded.etag, fetched_at = excluded.fetched_at`)
  const touchPage = db.prepare<[number, string]>('UPDATE pages SET fetched_at = ? WHERE project = ?')
  // A digest once learnt stays when a later page announces the metadata without one, or no more. A page of ten thousand files
  // mostly names known ones: they are compared, not written again.
  const putFile = db.prepare<[FileRow]>(`
    INSERT INTO files (sha256, filename, project, url, metadata, size) VALUES (@sha256, @filename, @project, @url, @metadata, @size)
    ON CONFLICT DO UPDATE SET project = excluded.project, url = excluded.url, size = coalesce(excluded.size, files.size),
      metadata = coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)
    WHERE (project, url) <> (excluded.project, excluded.url) OR size IS NOT coalesce(excluded.size, files.size)
      OR metadata IS NOT coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)`)
  const selectFile = db.prepare<[string, string], FileRow>('SELECT * FROM files WHERE sha256 = ? AND filename = ?')
  const selectFiles = db.prepare<[string], FileRow>('SELECT * FROM files WHERE project = ? ORDER BY filename, sha256')
  const updateMetadata = db.prepare<[string, string, string]>('UPDATE files SET metadata = ? WHERE sha256 = ? AND filename = ?')
  const putUnreadable = db.prepare<[string, string, string]>('INSERT INTO unreadable_wheels VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const selectUnreadable = db.prepare<[string], string>('SELECT sha256 FROM unreadable_wheels WHERE project = ?').pluck()
  const selectList = db.prepare<[], ListRow>('SELECT sha256, etag, fetched_at FROM project_list')
  const putList = db.prepare<[ListRow]>(`
    INSERT INTO project_list VALUES (1, @sha256, @etag, @fetched_at)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, etag = excluded.etag, fetched_at = excluded.fetched_at`)

  const store = db.transaction((page: PageRow, files: UpstreamFile[]) => {
    putPage.run(page)
    for (const file of files) putFile.run({ ...file, metadata: file.metadata ?? null, size: file.size ?? null })
    changes.bump(page.project)
  })

  const markUnreadable = db.transaction((project: string, sha256: string, filename: string) => {
    if (putUnreadable.run(project, sha256, filename).changes > 0) changes.bump(project)
  })

  return asPort<PageStore>({
    async get(project) {
      const row = selectPage.get(project)
      return row && { project, json: row.json ? await decompress(row.json) : undefined, url: row.url, etag: row.etag ?? undefined, fetchedAt: row.fetched_at }
    },
    async put(page, files) {
      store.immediate(await toRow(page), files)
    },
    touch(project, fetchedAt) { touchPage.run(fetchedAt, project) },
    file(sha256, filename) {
      const row = selectFile.get(sha256, filename)
      return row && toFile(row)
    },
    files: (project) => selectFiles.all(project).map(toFile),
    setMetadata(sha256, filename, metadata) { updateMetadata.run(metadata, sha256, filename) },
    setUnreadable({ project, sha256, filename }) { markUnreadable.immediate(project, sha256, filename) },
    unreadable: (project) => selectUnreadable.all(project),
    list() {
      const row = selectList.get()
      return row && { sha256: row.sha256, etag: row.etag ?? undefined, fetchedAt: row.fetched_at }
    },
    putList({ sha256, etag, fetchedAt }) { putList.run({ sha256, etag: etag ?? null, fetched_at: fetchedAt }) },
  })
}

async function toRow({ project, json, url, etag, fetchedAt }: StoredPage): Promise<PageRow> {
  return { project, json: json ? await compress(json) : null, url, etag: etag ?? null, fetched_at: fetchedAt }
}

function toFile(row: FileRow): UpstreamFile {
  return { ...row, metadata: row.metadata ?? undefined, size: row.size ?? undefined }
}
