import { setImmediate } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { ownersOf } from '../../domain/owner.ts'
import type { CachedFile, CacheStore, StoredBlob } from '../../services/ports.ts'
import { DIGEST_PARTS, LAST_DIGEST } from './digest-parts.ts'
import { asPort } from './port.ts'

interface Listed { filename: string; project: string }

/**
 * Something besides an upstream's page needs the file: it is a wheel of our own or what comes of one, it was kept for builds, a record names
 * it, or a job is about to read it.
 */
const HELD = `(
  EXISTS (SELECT 1 FROM wheels WHERE wheels.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM wheels WHERE wheels.metadata = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM wheels WHERE wheels.sdist = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM metadata WHERE metadata.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM results WHERE results.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM results WHERE results.sdist = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM kept_files WHERE kept_files.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM project_list WHERE project_list.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM recorded_files WHERE recorded_files.sha256 = cached_files.sha256)
  OR EXISTS (SELECT 1 FROM jobs WHERE jobs.sdist = cached_files.sha256 AND jobs.state IN ('queued', 'running'))
)`
/** Rows of one transaction: requests wait meanwhile. */
const AT_ONCE = 500

/** Which upstream files are stored. Their number and bytes are kept by triggers, so that they are known without looking. */
export function createCache(db: Database): CacheStore {
  const use = db.prepare<{ sha256: string; at: number }>('UPDATE cached_files SET used_at = max(used_at, @at) WHERE sha256 = @sha256')
  const add = db.prepare<{ sha256: string; size: number; at: number }>(`
    INSERT INTO cached_files SELECT @sha256, @size, @at WHERE EXISTS (SELECT 1 FROM files WHERE sha256 = @sha256)
    ON CONFLICT DO NOTHING`)
  const total = db.prepare<[], { files: number; bytes: number }>('SELECT files, bytes FROM cache_state')
  const held = db.prepare<{ from: string; to: string }, number>(`SELECT coalesce(sum(size), 0) FROM cached_files WHERE sha256 >= @from AND sha256 < @to AND ${HELD}`).pluck()
  const oldest = db.prepare<{ limit: number; usedAt: number; sha256: string }, { sha256: string; size: number; used_at: number; listed: string }>(`
    SELECT sha256, size, used_at, (SELECT json_group_array(json_object('filename', filename, 'project', project)) FROM files WHERE files.sha256 = cached_files.sha256) AS listed
    FROM cached_files WHERE (used_at, sha256) > (@usedAt, @sha256) AND NOT ${HELD} ORDER BY used_at, sha256 LIMIT @limit`)
  const forget = db.prepare<[string, number]>('DELETE FROM cached_files WHERE sha256 = ? AND used_at <= ?')
  const state = db.prepare<[], { counted: number; upstream: string | null; since: number }>('SELECT counted, upstream, since FROM cache_state')
  const setUpstream = db.prepare<[string, number]>('UPDATE cache_state SET upstream = ?, since = ?')
  const setCounted = db.prepare('UPDATE cache_state SET counted = 1')
  const drop = db.prepare<{ after: string; last: string; stored: string; began: number }>(`
    DELETE FROM cached_files WHERE sha256 > @after AND sha256 <= @last AND used_at < @began AND sha256 NOT IN (SELECT value FROM json_each(@stored))`)

  const note = db.transaction((uses: Parameters<CacheStore['note']>[0]): void => {
    for (const { sha256, size, at } of uses) {
      if (use.run({ sha256, at }).changes === 0 && size !== undefined) add.run({ sha256, size, at })
    }
  })

  /** All that is stored between two digests, `after` left out and `last` included. */
  const countSome = db.transaction((blobs: StoredBlob[], { after, last, began }: { after: string; last: string; began: number }): void => {
    for (const { sha256, size, keptAt } of blobs) if (use.run({ sha256, at: 0 }).changes === 0) add.run({ sha256, size, at: Math.trunc(keptAt) })
    // What came while it was counted was not among them, and is noted by itself.
    drop.run({ after, last, began, stored: JSON.stringify(blobs.map(({ sha256 }) => sha256)) })
  })

  return asPort<CacheStore>({
    note(uses) { if (uses.length > 0) note.immediate(uses) },
    total: () => total.get() ?? { files: 0, bytes: 0 },
    async held() {
      let bytes = 0
      for (const part of DIGEST_PARTS) {
        bytes += held.get(part) ?? 0
        await setImmediate()
      }
      return bytes
    },
    oldest: (limit, after) => oldest.all({ limit, usedAt: after?.usedAt ?? -1, sha256: after?.sha256 ?? '' })
      .map(({ used_at, listed, ...file }): CachedFile => ({ ...file, usedAt: used_at, projects: ownersAmong(JSON.parse(listed) as Listed[]) })),
    forget(sha256, usedAt) { forget.run(sha256, usedAt) },
    state() {
      const { counted, upstream, since } = state.get()!
      return { counted: counted === 1, upstream: upstream ?? undefined, since }
    },
    setUpstream(upstream, since) { setUpstream.run(upstream, since) },
    async count(stored, began) {
      let after = ''
      let batch: StoredBlob[] = []
      for await (const blob of stored) {
        if (batch.push(blob) < AT_ONCE) continue
        countSome.immediate(batch, { after, last: blob.sha256, began })
        after = blob.sha256
        batch = []
        await setImmediate()
      }
      countSome.immediate(batch, { after, last: LAST_DIGEST, began })
      setCounted.run()
    },
  })
}

/** Of each name that the bytes have, those whose file it is. */
function ownersAmong(listed: Listed[]): string[] {
  const owners = [...Map.groupBy(listed, ({ filename }) => filename)].flatMap(([filename, all]) => ownersOf(filename, all))
  return [...new Set(owners.map(({ project }) => project))].toSorted()
}
