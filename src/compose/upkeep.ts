import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import about from '../../package.json' with { type: 'json' }
import { entriesOf, readEntry, WheelError } from '../builder/wheel-file.ts'
import type { Settings } from '../config/settings.ts'
import { MuslinError } from '../errors.ts'
import { createCache } from '../services/cache.ts'
import { createFsck } from '../services/fsck.ts'
import { createGc } from '../services/gc.ts'
import type { BlobStore, Clock, Inspection, Store } from '../services/ports.ts'
import type { Upkeep } from '../services/upkeep.ts'
import { restoreBackup } from '../storage/backup/restore.ts'
import { writeBackup } from '../storage/backup/write.ts'
import { blobPath } from '../storage/blob-folder.ts'
import { createBuildLogs } from '../storage/build-logs.ts'
import { createDiskBlobs } from '../storage/disk-blobs.ts'
import { folderFaults } from '../storage/folder-faults.ts'
import { hasLivingProcess } from '../storage/process-folder.ts'
import { inspectSqlite } from '../storage/sqlite/inspect.ts'
import { openSqlite } from '../storage/sqlite/open.ts'

/** Work on the data folder of these settings, without a server of its own. Each thing opens what it needs, and closes it. */
export function createUpkeep({ data: given, cacheSize, offline = false }: Pick<Settings, 'data' | 'cacheSize'> & Partial<Pick<Settings, 'offline'>>, { log, clock, cwd }: { log: Logger; clock: Clock; cwd: string }): Upkeep {
  const data = resolve(cwd, given)
  const folder = join(data, 'blobs')

  return {
    busy: () => hasLivingProcess(join(data, 'scratch')),
    gc: (options) => opened(async ({ store, blobs, inspection }) => {
      const cache = createCache({ store, blobs, limit: offline ? undefined : cacheSize, clock, log })
      return createGc({ inspection, blobs, logs: createBuildLogs({ folder: join(data, 'logs'), log }), cache, clock })(options)
    }),
    fsck: (options) => opened(({ store, blobs, inspection }) => createFsck({ inspection, store, blobs, faults: () => folderFaults(data), readMetadata, clock })(options)),
    backup: (options) => writeBackup({ ...options, data, program: about.version, madeAt: new Date(clock.now()) }),
    async restore(options) {
      const { first, last, moved } = await restoreBackup({ ...options, data })
      return { madeAt: first.madeAt, withCache: first.withCache, blobs: last.blobs, bytes: last.bytes, logs: last.logs, gone: last.gone, moved }
    },
  }

  async function opened<T>(work: (parts: { store: Store; blobs: BlobStore; inspection: Inspection }) => Promise<T>): Promise<T> {
    const file = join(data, 'muslin.db')
    if (!existsSync(file)) throw new MuslinError('data-folder', `${data} has no database; name the data folder by --data`)
    const store = openSqlite({ file })
    const blobs = createDiskBlobs({ folder })
    try {
      return await work({ store, blobs, inspection: inspectSqlite({ file }) })
    } finally {
      blobs.close()
      store.close()
    }
  }

  async function readMetadata(sha256: string): Promise<Buffer | undefined> {
    try {
      const found = (await entriesOf(blobPath(folder, sha256))).find(({ filename }) => /^[^/]+\.dist-info\/METADATA$/.test(filename))
      return found && Buffer.from(await readEntry(found))
    } catch (error) {
      if (error instanceof WheelError) return undefined
      throw error
    }
  }
}
