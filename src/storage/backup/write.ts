import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { pack, type Pack } from 'tar-stream'
import { MuslinError } from '../../errors.ts'
import type { Holding } from '../../services/ports.ts'
import { listBlobs } from '../blob-folder.ts'
import { codeOf, diskError } from '../disk-error.ts'
import { claimProcessFolder, sweepProcessFolders } from '../process-folder.ts'
import { copySqlite } from '../sqlite/copy.ts'
import { inspectSqlite } from '../sqlite/inspect.ts'
import { blobName, DATABASE, FIRST, FORMAT, type First, LAST, type Last, TOKEN } from './format.ts'

/** Bytes a read. */
const CHUNK_BYTES = 1024 * 1024

export interface BackupOrder {
  /** The data folder; servers may be at work on it. */
  data: string
  out: Writable
  compress: boolean
  /** With files of the upstream. */
  cache: boolean
  /** This program's version, and now. */
  program: string
  madeAt: Date
  progress?: ((done: number, total: number) => void) | undefined
}

export interface BackupReport {
  blobs: number
  bytes: number
  logs: number
  /** Blobs that the database refers to and that are not there, by what they are for. */
  gone: string[]
}

/**
 * Writes a backup of what is committed now: the database first, by one statement, then the blobs that this copy refers to. Blobs never
 * change, so whatever happens meanwhile the backup is whole; one that is evicted meanwhile is left out and told. Ends `out`.
 */
export async function writeBackup(order: BackupOrder): Promise<BackupReport> {
  const { data, out, compress } = order
  if (!existsSync(join(data, DATABASE))) throw new MuslinError('data-folder', `${data} has no database, so there is nothing to back up; name another by --data`)
  // Not where servers have theirs: whoever looks for one must not find us.
  const drafts = join(data, 'blobs', 'drafts')
  const scratch = claimProcessFolder(drafts)
  const archive = pack()
  const flow = compress
    ? pipeline(archive as unknown as NodeJS.ReadableStream, createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } }), out)
    : pipeline(archive as unknown as NodeJS.ReadableStream, out)
  // Whoever fails first says why; the other one only hears that it was broken off.
  flow.catch((error: Error) => archive.destroy(error))
  try {
    const report = await writeEntries(archive, order, join(scratch.path, DATABASE))
    archive.finalize()
    await flow
    return report
  } catch (error) {
    archive.destroy(error as Error)
    throw diskError(await flow.then(() => error, (cause: unknown) => (cause === error || codeOf(cause) === 'ERR_STREAM_PREMATURE_CLOSE' ? error : cause)))
  } finally {
    await rm(scratch.path, { recursive: true, force: true })
    scratch.lock.close()
    sweepProcessFolders(drafts)
  }
}

async function writeEntries(archive: Pack, { data, cache, program, madeAt, progress }: BackupOrder, copy: string): Promise<BackupReport> {
  const schema = copySqlite({ file: join(data, DATABASE), into: copy })
  await writeText(archive, FIRST, { format: FORMAT, program, madeAt: madeAt.toISOString(), schema, withCache: cache } satisfies First)
  const database = await writeFile(archive, DATABASE, copy)
  if (database === undefined) throw new Error('the copy of the database is gone')
  const wanted = ({ holdings }: { holdings: Holding[] }): boolean => holdings.some(({ kind }) => cache || (kind !== 'upstream-file' && kind !== 'cached'))
  const report: BackupReport = { blobs: 0, bytes: 0, logs: 0, gone: [] }
  const comparison = await inspectSqlite({ file: copy }).compare(listBlobs(join(data, 'blobs')))
  try {
    let total = 0
    for (const blob of comparison.blobs()) if (wanted(blob)) total += blob.size
    for (const { kind, name } of comparison.missing()) if (kind !== 'cached') report.gone.push(name)
    let done = 0
    for (const blob of comparison.blobs()) {
      if (!wanted(blob)) continue
      const kept = await writeFile(archive, blobName(blob.sha256), join(data, 'blobs', blobName(blob.sha256).slice('blobs/'.length)))
      if (kept === undefined) report.gone.push(blob.holdings[0]?.name ?? blob.sha256)
      else report.blobs += 1
      report.bytes += kept?.size ?? 0
      progress?.(done += blob.size, total)
    }
  } finally {
    comparison.close()
  }
  for (const name of await logNames(join(data, 'logs'))) if (await writeFile(archive, `logs/${name}`, join(data, 'logs', name))) report.logs += 1
  await writeFile(archive, TOKEN, join(data, TOKEN))
  await writeText(archive, LAST, { ...report, database: database.sha256 } satisfies Last)
  return report
}

async function writeText(archive: Pack, name: string, value: unknown): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  await pipeline(Readable.from([bytes], { objectMode: false }), archive.entry({ ...HEADER, name, size: bytes.length }))
}

const HEADER = { mode: 0o600, mtime: new Date(0), type: 'file' as const }

/** The file as long as it is now, whatever is appended meanwhile; undefined where there is none. */
async function writeFile(archive: Pack, name: string, path: string): Promise<{ sha256: string; size: number } | undefined> {
  let file: FileHandle
  try {
    file = await open(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size } = await file.stat()
    const hash = createHash('sha256')
    await pipeline(bytesOf(file, size, hash), archive.entry({ ...HEADER, name, size }))
    return { sha256: hash.digest('hex'), size }
  } finally {
    await file.close()
  }
}

async function* bytesOf(file: FileHandle, size: number, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const wanted = Math.min(CHUNK_BYTES, size - at)
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at)
    if (bytesRead === 0) throw new Error('a file became shorter while it was read')
    at += bytesRead
    hash.update(buffer.subarray(0, bytesRead))
    yield buffer.subarray(0, bytesRead)
  }
}

/** `7.log`, and `7.tail/8388608` of one that outgrew its cap. */
async function logNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  return entries.filter((name) => /^\d{1,15}(\.log|\.tail\/\d{1,15})$/.test(name)).toSorted()
}
