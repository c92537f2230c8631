import { createReadStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { MuslinError } from '../../errors.ts'
import { codeOf, diskError } from '../disk-error.ts'
import { hasLivingProcess } from '../process-folder.ts'
import { DATABASE } from './format.ts'
import { readBackup, type Unpacked } from './read.ts'

export interface RestoreReport extends Unpacked {
  /** Where what lay in the folder before is now; undefined where it was empty. */
  moved: string | undefined
}

/**
 * Restores a backup (a file's path, or a stream) into the data folder: beside it first, and in its place only when all of it was found right.
 * Throws `data-folder` where something lies there already, unless `force` is given (then that is moved beside it), and where a server is at
 * work on it; `bad-backup` as `readBackup` does.
 */
export async function restoreBackup({ source, data: named, force, progress }: {
  source: string | Readable
  data: string
  force: boolean
  progress?: ((done: number, total: number) => void) | undefined
}): Promise<RestoreReport> {
  try {
    const data = await placeOf(named)
    const total = typeof source === 'string' ? (await stat(source).catch((error: unknown) => { throw unreadable(source, error) })).size : 0
    await checkFree(data, force)
    const staging = await stagingFor(data)
    try {
      const unpacked = await readBackup({
        source: typeof source === 'string' ? createReadStream(source, { highWaterMark: 1 << 20 }) : source,
        into: staging, progress: progress && ((bytes) => progress(bytes, total)),
      })
      // It may have taken hours.
      await checkFree(data, force, staging)
      return { ...unpacked, moved: await putInPlace(staging, data) }
    } finally {
      await rm(staging, { recursive: true, force: true })
    }
  } catch (error) {
    throw diskError(error)
  }
}

/** The folder itself where the name is a link to it: beside that is the same disk, and the link stays what it is. */
async function placeOf(data: string): Promise<string> {
  try {
    return await realpath(data)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    if (!await lstat(data).catch(() => undefined)) return data
    throw new MuslinError('data-folder', `${data} is a link that leads nowhere; make the folder that it names, or restore into another by --data`)
  }
}

async function checkFree(data: string, force: boolean, staging?: string): Promise<void> {
  if (hasLivingProcess(join(data, 'scratch'))) {
    throw new MuslinError('data-folder', `a server or a worker is at work on ${data}; stop it first, or restore into another folder by --data`)
  }
  if (!force && (await entriesOf(data)).some((name) => join(data, name) !== staging)) {
    throw new MuslinError('data-folder', `${data} is not empty; restore into another folder by --data, or give --force, which moves what is there beside it`)
  }
}

/** Beside the folder, so that one step puts it in place; inside where the folder is a file system of its own. */
async function stagingFor(data: string): Promise<string> {
  await mkdir(dirname(data), { recursive: true })
  const inside = await isMount(data)
  return mkdtemp(inside ? join(data, 'restoring-') : join(dirname(data), `${basename(data)}.restoring-`))
}

async function isMount(data: string): Promise<boolean> {
  const own = await stat(data).catch(() => undefined)
  return own !== undefined && own.dev !== (await stat(dirname(data))).dev
}

/** Returns where what was there before is. */
async function putInPlace(staging: string, data: string): Promise<string | undefined> {
  if (dirname(staging) === data) return putInside(staging, data)
  const before = await entriesOf(data)
  const moved = before.length > 0 ? await freeName(data) : undefined
  if (moved !== undefined) await rename(data, moved)
  else await rmdir(data).catch((error: unknown) => { if (codeOf(error) !== 'ENOENT') throw error })
  await rename(staging, data)
  return moved
}

/** The database last: a folder without one is not taken for a whole one. */
async function putInside(staging: string, data: string): Promise<string | undefined> {
  const before = (await entriesOf(data)).filter((name) => name !== basename(staging))
  const moved = before.length > 0 ? await freeName(join(data, 'before-restore')) : undefined
  if (moved !== undefined) {
    await mkdir(moved, { mode: 0o700 })
    for (const name of before) await rename(join(data, name), join(moved, name))
  }
  for (const name of (await entriesOf(staging)).toSorted((a, b) => Number(a === DATABASE) - Number(b === DATABASE))) await rename(join(staging, name), join(data, name))
  return moved
}

async function freeName(data: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${data}.replaced-${number}`
    if (!await stat(name).catch(() => undefined)) return name
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  // A file system of its own has it from the start.
  return names.filter((name) => name !== 'lost+found')
}

function unreadable(path: string, cause: unknown): MuslinError {
  return new MuslinError('bad-backup', `${path} cannot be read (${codeOf(cause)}); name a file that muslin backup wrote`, { cause })
}
