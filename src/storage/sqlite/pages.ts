import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Database } from 'better-sqlite3'
import { NOTHING_SAID, type Freshness } from '../../domain/freshness.ts'
import { servedAs } from '../../domain/owner.ts'
import type { PageStore, StoredPage, UpstreamFile } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

interface FreshnessRow { fresh_seconds: number | null; stale_seconds: number }
interface PageRow extends FreshnessRow { project: string; json: Buffer | null; url: string; validator: string | null; fetched_at: number }
type FileRow = Pick<UpstreamFile, 'sha256' | 'filename' | 'project' | 'url'> & { source: string | null; metadata: string | null; size: number | null; uploaded_at: number | null; seen_at: number }
type FileValues = [sha256: string, filename: string, project: string, url: string, source: string | null, metadata: string | null, size: number | null, uploadedAt: number | null, seenAt: number]
interface ListRow extends FreshnessRow { sha256: string; validator: string | null; fetched_at: number }

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The upstream's pages and every file they ever named. */
export function createPages(db: Database, changes: Changes): PageStore {
  const selectPage = db.prepare<[string], PageRow>('SELECT * FROM pages WHERE project = ?')
  const selectAbout = db.prepare<[string], Omit<PageRow, 'json'> & { absent: number }>('SELECT project, json IS NULL AS absent, url, validator, fetched_at, fresh_seconds, stale_seconds FROM pages WHERE project = ?')
  const putPage = db.prepare<[PageRow]>(`
    INSERT INTO pages (project, json, url, validator, fetched_at, fresh_seconds, stale_seconds)
    VALUES (@project, @json, @url, @validator, @fetched_at, @fresh_seconds, @stale_seconds)
    ON CONFLICT DO UPDATE SET json = excluded.json, url = excluded.url, validator = excluded.validator, fetched_at = excluded.fetched_at,
      fresh_seconds = excluded.fresh_seconds, stale_seconds = excluded.stale_seconds`)
  const touchPage = db.prepare<[FreshnessRow & { project: string; fetched_at: number }]>(`
    UPDATE pages SET fetched_at = @fetched_at, fresh_seconds = @fresh_seconds, stale_seconds = @stale_seconds WHERE project = @project`)
  // A digest once learnt stays when a later page announces the metadata without one, or no more. A page of ten thousand files
  // mostly names known ones: they are compared, not written again.
  // By place, not by name: binding by name takes as long as all the rest.
  const putFile = db.prepare<FileValues>(`
    INSERT INTO files (sha256, filename, project, url, source, metadata, size, uploaded_at, seen_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET url = excluded.url, source = excluded.source, uploaded_at = excluded.uploaded_at, size = coalesce(excluded.size, files.size),
      metadata = coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)
    WHERE url <> excluded.url OR source IS NOT excluded.source OR uploaded_at IS NOT excluded.uploaded_at OR size IS NOT coalesce(excluded.size, files.size)
      OR metadata IS NOT coalesce(nullif(excluded.metadata, ''), files.metadata, excluded.metadata)`)
  const selectListed = db.prepare<[string, string], FileRow>('SELECT * FROM files WHERE sha256 = ? AND filename = ? ORDER BY seen_at, project')
  const selectFiles = db.prepare<[string], FileRow>('SELECT * FROM files WHERE project = ? ORDER BY filename, sha256')
  const selectNamed = db.prepare<[string], FileRow>('SELECT * FROM files WHERE sha256 = ? ORDER BY filename, project')
  const selectUndated = db.prepare<{ project: string }, FileRow>(`
    SELECT * FROM files WHERE project = @project AND (uploaded_at IS NULL OR sha256 IN (SELECT sdist FROM wheels WHERE project = @project))
    ORDER BY filename, sha256`)
  const updateMetadata = db.prepare<[string, string, string, string]>('UPDATE files SET metadata = ? WHERE sha256 = ? AND filename = ? AND project = ?')
  const putUnreadable = db.prepare<[string, string, string]>('INSERT INTO unreadable_wheels VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const selectUnreadable = db.prepare<[string], string>('SELECT sha256 FROM unreadable_wheels WHERE project = ?').pluck()
  const selectList = db.prepare<[], ListRow>('SELECT * FROM project_list')
  const putList = db.prepare<[ListRow]>(`
    INSERT INTO project_list (id, sha256, validator, fetched_at, fresh_seconds, stale_seconds)
    VALUES (1, @sha256, @validator, @fetched_at, @fresh_seconds, @stale_seconds)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, validator = excluded.validator, fetched_at = excluded.fetched_at,
      fresh_seconds = excluded.fresh_seconds, stale_seconds = excluded.stale_seconds`)

  const store = db.transaction((page: PageRow, files: UpstreamFile[]) => {
    putPage.run(page)
    for (const { sha256, filename, project, url, source, metadata, size, uploadedAt } of files) {
      putFile.run(sha256, filename, project, url, source ?? null, metadata ?? null, size ?? null, uploadedAt ?? null, page.fetched_at)
    }
    changes.bump(page.project)
  })

  const markUnreadable = db.transaction((project: string, sha256: string, filename: string) => {
    if (putUnreadable.run(project, sha256, filename).changes > 0) changes.bump(project)
  })

  const listed = (sha256: string, filename: string) => selectListed.all(sha256, filename).map(toFile)

  return asPort<PageStore>({
    async get(project) {
      const row = selectPage.get(project)
      return row && { project, json: row.json ? await decompress(row.json) : undefined, url: row.url, ...told(row) }
    },
    about(project) {
      const row = selectAbout.get(project)
      return row && { project, url: row.url, absent: row.absent === 1, ...told(row) }
    },
    async put(page, files) {
      store.immediate(await toRow(page), files)
    },
    touch(project, fetchedAt, freshness) { touchPage.run({ project, fetched_at: fetchedAt, ...freshnessRow(freshness) }) },
    file: (sha256, filename) => servedAs(filename, listed(sha256, filename)),
    listed,
    files: (project) => selectFiles.all(project).map(toFile),
    named: (sha256) => selectNamed.all(sha256).map(toFile),
    undated: (project) => selectUndated.all({ project }).map(toFile),
    setMetadata({ sha256, filename, project }, metadata) { updateMetadata.run(metadata, sha256, filename, project) },
    setUnreadable({ project, sha256, filename }) { markUnreadable.immediate(project, sha256, filename) },
    unreadable: (project) => selectUnreadable.all(project),
    list() {
      const row = selectList.get()
      return row && { sha256: row.sha256, ...told(row) }
    },
    putList({ sha256, validator, freshness, fetchedAt }) { putList.run({ sha256, validator: validator ?? null, fetched_at: fetchedAt, ...freshnessRow(freshness) }) },
  })
}

async function toRow({ project, json, url, validator, freshness, fetchedAt }: StoredPage): Promise<PageRow> {
  return { project, json: json ? await compress(json) : null, url, validator: validator ?? null, fetched_at: fetchedAt, ...freshnessRow(freshness) }
}

function freshnessRow({ seconds, staleWhileRevalidate }: Freshness = NOTHING_SAID): FreshnessRow {
  return { fresh_seconds: seconds ?? null, stale_seconds: staleWhileRevalidate }
}

function told(row: Omit<ListRow, 'sha256'>): Pick<StoredPage, 'validator' | 'freshness' | 'fetchedAt'> {
  const freshness = { seconds: row.fresh_seconds ?? undefined, staleWhileRevalidate: row.stale_seconds }
  return { validator: row.validator ?? undefined, freshness, fetchedAt: row.fetched_at }
}

function toFile({ source, metadata, size, uploaded_at, seen_at, ...file }: FileRow): UpstreamFile {
  return { ...file, source: source ?? undefined, metadata: metadata ?? undefined, size: size ?? undefined, uploadedAt: uploaded_at ?? undefined, seenAt: seen_at }
}
