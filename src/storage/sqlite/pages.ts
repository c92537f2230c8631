import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Database } from 'better-sqlite3'
import type { PageStore, StoredPage, UpstreamFile } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

interface PageRow { project: string; json: Buffer | null; url: string; etag: string | null; fetched_at: number }
type FileRow = Pick<UpstreamFile, 'sha256' | 'filename' | 'project' | 'url'> & { metadata: string | null; uploaded_at: number | null; seen_at: number }
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
    INSERT INTO files (sha256, filename, project, url, metadata, uploaded_at, seen_at)
    VALUES (@sha256, @filename, @project, @url, @metadata, @uploaded_at, @seen_at)
    ON CONFLICT DO UPDATE SET project = excluded.project, url = excluded.url, uploaded_at = excluded.uploaded_at,
      metadata = coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)
    WHERE (project, url) <> (excluded.project, excluded.url) OR uploaded_at IS NOT excluded.uploaded_at
      OR metadata IS NOT coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)`)
  const selectFile = db.prepare<[string, string], FileRow>('SELECT * FROM files WHERE sha256 = ? AND filename = ?')
  const selectFiles = db.prepare<[string], FileRow>('SELECT * FROM files WHERE project = ? ORDER BY filename, sha256')
  const selectNamed = db.prepare<[string], FileRow>('SELECT * FROM files WHERE sha256 = ? ORDER BY filename')
  const selectUndated = db.prepare<{ project: string }, FileRow>(`
    SELECT * FROM files WHERE project = @project AND (uploaded_at IS NULL OR sha256 IN (SELECT sdist FROM wheels WHERE project = @project))
    ORDER BY filename, sha256`)
  const updateMetadata = db.prepare<[string, string, string]>('UPDATE files SET metadata = ? WHERE sha256 = ? AND filename = ?')
  const selectList = db.prepare<[], ListRow>('SELECT sha256, etag, fetched_at FROM project_list')
  const putList = db.prepare<[ListRow]>(`
    INSERT INTO project_list VALUES (1, @sha256, @etag, @fetched_at)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, etag = excluded.etag, fetched_at = excluded.fetched_at`)

  const store = db.transaction((page: PageRow, files: UpstreamFile[]) => {
    putPage.run(page)
    for (const { sha256, filename, project, url, metadata, uploadedAt } of files) {
      putFile.run({ sha256, filename, project, url, metadata: metadata ?? null, uploaded_at: uploadedAt ?? null, seen_at: page.fetched_at })
    }
    changes.bump(page.project)
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
    named: (sha256) => selectNamed.all(sha256).map(toFile),
    undated: (project) => selectUndated.all({ project }).map(toFile),
    setMetadata(sha256, filename, metadata) { updateMetadata.run(metadata, sha256, filename) },
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

function toFile({ metadata, uploaded_at, seen_at, ...file }: FileRow): UpstreamFile {
  return { ...file, metadata: metadata ?? undefined, uploadedAt: uploaded_at ?? undefined, seenAt: seen_at }
}
