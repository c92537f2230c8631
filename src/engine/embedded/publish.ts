/** Folders that are made once, whole or not at all, and never change after that. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'

const NEW = '.new-'
const STALE_MS = 60 * 60_000

/** Makes `path` by `make`, which fills an empty folder, unless it is there. Of several processes that do so at once, one's is taken. */
export async function publishFolder(path: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return
  const folder = join(dirname(path), `${NEW}${randomBytes(6).toString('hex')}`)
  await mkdir(folder, { recursive: true })
  try {
    await make(folder)
    // Whoever builds is another user: a server with a strict umask would make what only it can read.
    await execa('chmod', ['-R', 'a+rX', folder], { stdin: 'ignore' })
    await rename(folder, path)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

/** Removes what processes that were killed left half made below `folder`. `now` in milliseconds since 1970. */
export async function sweepUnpublished(folder: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(NEW)) continue
    const made = await stat(join(folder, name)).catch(() => undefined)
    if (made && now - made.mtimeMs > STALE_MS) await rm(join(folder, name), { recursive: true, force: true })
  }
}
