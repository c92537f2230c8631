import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreFault } from '../services/ports.ts'

/** Secrets lie in these. */
const PRIVATE = ['muslin.db', 'muslin.db-wal', 'muslin.db-shm', 'admin-token']

/** What of a data folder's own files others than its owner may read or write. */
export async function* folderFaults(data: string): AsyncGenerator<StoreFault> {
  for (const name of PRIVATE) {
    const path = join(data, name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || (found.mode & 0o077) === 0) continue
    yield { kind: 'mode', name, mend: () => chmod(path, 0o600) }
  }
}
