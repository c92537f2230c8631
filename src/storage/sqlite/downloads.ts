import type { Database } from 'better-sqlite3'
import { parseSdistFilename, parseWheelFilename } from '../../domain/filename.ts'
import { ownersOf } from '../../domain/owner.ts'
import { canonicalVersion } from '../../domain/version.ts'
import type { DownloadStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

/** The same client's downloads of one wheel within this time are one. */
const ONCE_MS = 60 * 60 * 1000
/** How long a count is known, for the sake of those that are written late. */
const FORGET_MS = 24 * ONCE_MS

/** What installers were served. Rows are kept of our own wheels alone, for a day: all else is in the totals. */
export function createDownloads(db: Database): DownloadStore {
  const selectMs = db.prepare<[string, string], number>(`
    SELECT builds.finished_at - builds.started_at FROM wheels JOIN builds ON builds.id = wheels.build
    WHERE wheels.sha256 = ? AND wheels.filename = ?`).pluck()
  // One process's counts may come after another's younger ones.
  const count = db.prepare<{ sha256: string; filename: string; client: string; at: number }>(`
    INSERT INTO counted_downloads VALUES (@sha256, @filename, @client, @at)
    ON CONFLICT DO UPDATE SET counted_at = max(counted_at, excluded.counted_at) WHERE abs(excluded.counted_at - counted_at) >= ${ONCE_MS}`)
  const selectListed = db.prepare<[string, string], { project: string }>('SELECT project FROM files WHERE sha256 = ? AND filename = ? ORDER BY seen_at, project')
  const want = db.prepare<[string, string, string]>('INSERT INTO demand VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET downloads = downloads + 1')
  const selectDemand = db.prepare<[string], { project: string; version: string; downloads: number }>(
    'SELECT project, version, downloads FROM demand WHERE target = ? ORDER BY downloads DESC, project, version')
  const forget = db.prepare<[number]>('DELETE FROM counted_downloads WHERE counted_at < ?')
  const raise = db.prepare<[number, number, number]>('UPDATE download_totals SET files = files + ?, wheels = wheels + ?, saved_ms = saved_ms + ?')
  const selectTotals = db.prepare<[], { files: number; wheels: number; savedSeconds: number }>(
    'SELECT files, wheels, saved_ms / 1000.0 AS savedSeconds FROM download_totals')
  const countBuilt = db.prepare<[], number>('SELECT count(*) FROM wheels').pluck()

  const add = db.transaction((downloads: Parameters<DownloadStore['add']>[0]): void => {
    let wheels = 0
    let savedMs = 0
    let newest = 0
    for (const download of downloads) {
      const ms = selectMs.get(download.sha256, download.filename)
      newest = Math.max(newest, download.at)
      noteDemand(download)
      if (ms === undefined || count.run({ sha256: download.sha256, filename: download.filename, client: download.client, at: download.at }).changes === 0) continue
      wheels += 1
      savedMs += ms
    }
    forget.run(newest - FORGET_MS)
    raise.run(downloads.length, wheels, savedMs)
  })

  function noteDemand({ sha256, filename, target }: Parameters<DownloadStore['add']>[0][number]): void {
    if (target === undefined) return
    const wheel = parseWheelFilename(filename)
    const project = wheel?.project ?? ownersOf(filename, selectListed.all(sha256, filename))[0]?.project
    const version = wheel?.version ?? (project === undefined ? undefined : parseSdistFilename(filename, project)?.version)
    if (project !== undefined && version !== undefined) want.run(target, project, canonicalVersion(version))
  }

  return asPort<DownloadStore>({
    add(downloads) { if (downloads.length > 0) add.immediate(downloads) },
    totals: () => selectTotals.get() ?? { files: 0, wheels: 0, savedSeconds: 0 },
    demand: (target) => selectDemand.all(target),
    built: () => countBuilt.get() ?? 0,
  })
}
