import type { Database } from 'better-sqlite3'
import type { SessionStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

interface SessionRow { token_sha256: string; csrf: string; expires_at: number }

/** Browsers that a person logged in with. */
export function createSessions(db: Database): SessionStore {
  const insert = db.prepare<[string, string, string, number]>('INSERT INTO sessions VALUES (?, ?, ?, ?)')
  const select = db.prepare<[string, number], SessionRow>('SELECT token_sha256, csrf, expires_at FROM sessions WHERE id_sha256 = ? AND expires_at > ?')
  const anyOver = db.prepare<[number], number>('SELECT 1 FROM sessions WHERE expires_at <= ? LIMIT 1').pluck()
  const removeOver = db.prepare<[number]>('DELETE FROM sessions WHERE expires_at <= ?')
  const remove = db.prepare<[string]>('DELETE FROM sessions WHERE id_sha256 = ?')

  return asPort<SessionStore>({
    create({ idSha256, tokenSha256, csrf, expiresAt }) { insert.run(idSha256, tokenSha256, csrf, expiresAt) },
    get(idSha256, now) {
      // Browsers forget a cookie that is over, and never ask for it again: whoever asks for another clears it away.
      if (anyOver.get(now) !== undefined) removeOver.run(now)
      const row = select.get(idSha256, now)
      return row && { tokenSha256: row.token_sha256, csrf: row.csrf, expiresAt: row.expires_at }
    },
    remove(idSha256) { remove.run(idSha256) },
  })
}
