import type { Database } from 'better-sqlite3'
import type { JobStore, Pause } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import type { AtOnce } from './port.ts'

/** A pause of the whole queue, the same for all processes. */
export function createPause(db: Database, changes: Changes): AtOnce<Pick<JobStore, 'pause' | 'resume' | 'paused'>> {
  const select = db.prepare<[], { reason: string | null; since: number }>('SELECT reason, since FROM pause')
  const put = db.prepare<{ reason: string | null; now: number }, { reason: string | null; since: number }>(`
    INSERT INTO pause VALUES (1, nullif(@reason, ''), @now)
    ON CONFLICT DO UPDATE SET reason = iif(@reason IS NULL, reason, excluded.reason) RETURNING reason, since`)
  const remove = db.prepare('DELETE FROM pause')

  return {
    pause(reason, now) {
      const row = put.get({ reason: reason ?? null, now })!
      changes.notify()
      return toPause(row)
    },
    resume() {
      const was = remove.run().changes > 0
      if (was) changes.notify()
      return was
    },
    paused() {
      const row = select.get()
      return row && toPause(row)
    },
  }
}

function toPause({ reason, since }: { reason: string | null; since: number }): Pause {
  return { reason: reason ?? undefined, since }
}
