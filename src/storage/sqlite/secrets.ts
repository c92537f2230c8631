import type { Database } from 'better-sqlite3'
import type { SecretStore } from '../../services/ports.ts'
import { asPort } from './port.ts'

/** Small things that must survive. */
export function createSecrets(db: Database): SecretStore {
  const select = db.prepare<[string], string>('SELECT value FROM secrets WHERE name = ?').pluck()
  const insert = db.prepare<[string, string]>('INSERT INTO secrets VALUES (?, ?)')

  const replace = db.prepare<[string, string]>('INSERT INTO secrets VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')

  const find = db.transaction((name: string, make: () => string) => {
    const found = select.get(name)
    if (found !== undefined) return found
    const made = make()
    insert.run(name, made)
    return made
  })

  return asPort<SecretStore>({
    // Read without a lock first: but for the first start it is always there.
    secret: (name, make) => select.get(name) ?? find.immediate(name, make),
    replace(name, value) { replace.run(name, value) },
  })
}
