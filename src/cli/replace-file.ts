import { randomUUID } from 'node:crypto'
import { chmod, chown, open, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { MuslinError } from '../errors.ts'

/** As many links as systems follow. */
const MOST_LINKS = 40

/**
 * Writes a file in one step: whoever reads it has the old bytes or the new, whatever happens. Mode and, where this user may, owner stay; a
 * link still leads there. Throws `bad-lock` where it cannot be written, and leaves nothing behind.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const target = await followed(path)
    const kept = await stat(target).catch(() => undefined)
    // A device or pipe, such as /dev/stdout, is written to, never replaced.
    if (kept && !kept.isFile()) await writeFile(path, bytes)
    else await replace(target, bytes, kept)
  } catch (error) {
    throw new MuslinError('bad-lock', `${path} cannot be written (${(error as NodeJS.ErrnoException).code}); check that its folder is there, and who may write to it`, { cause: error })
  }
}

async function replace(target: string, bytes: Uint8Array, kept: { uid: number; gid: number; mode: number } | undefined): Promise<void> {
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`)
  try {
    // What others may not read they may not read meanwhile; a new file is as open as any other.
    await writeDraft(draft, bytes, kept ? 0o600 : 0o666)
    if (kept) {
      await chown(draft, kept.uid, kept.gid).catch(() => undefined)
      await chmod(draft, kept.mode & 0o7777)
    }
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Where links lead, also to what is not there yet. */
async function followed(path: string, left = MOST_LINKS): Promise<string> {
  if (left === 0) return realpath(path)
  const target = await realpath(path).catch(() => undefined)
  if (target !== undefined) return target
  const link = await readlink(path).catch(() => undefined)
  return link === undefined ? path : followed(resolve(await realpath(dirname(path)), link), left - 1)
}

async function writeDraft(draft: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(draft, 'wx', mode)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
