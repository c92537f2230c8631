import type { Database } from 'better-sqlite3'
import type { MetadataStore } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

/** METADATA by (sdist, target). */
export function createMetadata(db: Database, changes: Changes): MetadataStore {
  const select = db.prepare<[string, string], string>('SELECT sha256 FROM metadata WHERE sdist = ? AND target = ?').pluck()
  // Once there is a wheel its METADATA is the one that counts: a metadata step that ends late must not speak over it.
  const set = db.prepare<{ sdist: string; target: string; sha256: string }>(`
    INSERT INTO metadata SELECT @sdist, @target, @sha256
    WHERE NOT EXISTS (SELECT 1 FROM wheels WHERE sdist = @sdist AND target = @target)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256`)

  return asPort<MetadataStore>({
    get: (sdist, target) => select.get(sdist, target),
    set(sdist, target, sha256) {
      // Requests for a promise's metadata wait for this, in the middle of a build too.
      if (set.run({ sdist, target, sha256 }).changes > 0) changes.notify()
    },
  })
}
