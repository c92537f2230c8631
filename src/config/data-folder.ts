import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MuslinError } from '../errors.ts'

/** What a running web process tells about itself, for commands and workers on the same data folder. */
export interface ServerFile { url: string; scheme: 'http' | 'https'; port: number; pid: number; instance: string }

/** Makes the data folder and the folders in it; its owner's alone, since secrets lie there. Throws `data-folder`. */
export async function openDataFolder(data: string, folders: string[]): Promise<void> {
  try {
    await mkdir(data, { recursive: true, mode: 0o700 })
    for (const folder of folders) await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new MuslinError('data-folder', `${data} cannot be made or written (${(error as NodeJS.ErrnoException).code}); give another by --data`, { cause: error })
  }
}

export async function writeServerFile(data: string, server: ServerFile): Promise<void> {
  const file = join(data, 'server.json')
  await writeFile(`${file}.new`, `${JSON.stringify(server)}\n`)
  await rename(`${file}.new`, file)
}

/** Throws `data-folder` where no server runs, or ever ran, on this folder. */
export async function readServerFile(data: string): Promise<ServerFile> {
  try {
    return JSON.parse(await readFile(join(data, 'server.json'), 'utf8')) as ServerFile
  } catch (error) {
    throw new MuslinError('data-folder', `no server has run on ${data}; start one, or name its folder by --data (a command may name the server itself, by --server)`, { cause: error })
  }
}

/**
 * The admin's token: made at the first start, stored in the data folder for its owner alone, and in the database as its sha256.
 * `made` is the token itself, once.
 */
export async function adminToken(data: string, secrets: { secret(name: string, make: () => string): Promise<string> }): Promise<{ sha256: string; made: string | undefined }> {
  const token = `muslin-${randomBytes(24).toString('base64url')}`
  const file = join(data, 'admin-token')
  const mine = createHash('sha256').update(token).digest('hex')
  const written = `${file}.${mine.slice(0, 8)}`
  await writeFile(written, `${token}\n`, { mode: 0o600 })
  const sha256 = await secrets.secret('admin-token-sha256', () => mine)
  if (sha256 === mine) await rename(written, file)
  else await rm(written)
  return { sha256, made: sha256 === mine ? token : undefined }
}
