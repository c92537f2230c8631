import { randomUUID } from 'node:crypto'
import { chmod, chown, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { MuslinError } from '../errors.ts'

/**
 * Writes a file in one step: whoever reads it has the old bytes or the new, whatever happens. Mode and, where this user may, owner stay; a
 * link still leads there. Throws `bad-lock` where it cannot be written, and leaves nothing behind.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const kept = await stat(target).catch(() => undefined)
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`)
  try {
    // A device or pipe, such as /dev/stdout, is written to, never replaced.
    if (kept && !kept.isFile()) return await writeFile(path, bytes)
    await writeDraft(draft, bytes)
    if (kept) {
      await chown(draft, kept.uid, kept.gid).catch(() => undefined)
      await chmod(draft, kept.mode & 0o7777)
    }
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw new MuslinError('bad-lock', `${path} cannot be written (${(error as NodeJS.ErrnoException).code}); check that its folder is there, and who may write to it`, { cause: error })
  }
}

async function writeDraft(draft: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(draft, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
