import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MuslinError } from '../errors.ts'

/** What a running web process tells about itself, for commands and workers on the same data folder. */
export interface ServerFile {
  url: string
  scheme: 'http' | 'https'
  port: number
  /** The address that it listens on; absent: all of them. */
  host?: string | undefined
  pid: number
  instance: string
}

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

/** Where the database keeps small things. */
interface Secrets {
  secret(name: string, make: () => string): Promise<string>
  replace(name: string, value: string): Promise<void>
}

/** A shorter one could be guessed. */
const SHORTEST_TOKEN = 24

/**
 * The admin's token: made at the first start, stored in the data folder for its owner alone, and in the database as its sha256.
 * `made` is the token itself, once. Whoever wants another writes it to the file: the next start takes it (`taken`), and sessions that
 * the older one opened are over. Throws `bad-settings` where what was written there could be guessed.
 */
export async function adminToken(data: string, secrets: Secrets): Promise<{ sha256: string; made: string | undefined; taken: boolean }> {
  const file = join(data, 'admin-token')
  const written = await readToken(file)
  if (written !== undefined) return takeToken(file, written, secrets)
  const token = `muslin-${randomBytes(24).toString('base64url')}`
  const mine = digest(token)
  const ours = `${file}.${mine.slice(0, 8)}`
  await writeFile(ours, `${token}\n`, { mode: 0o600 })
  const sha256 = await secrets.secret('admin-token-sha256', () => mine)
  if (sha256 === mine) await rename(ours, file)
  else await rm(ours)
  return { sha256, made: sha256 === mine ? token : undefined, taken: false }
}

async function takeToken(file: string, token: string, secrets: Secrets): Promise<{ sha256: string; made: undefined; taken: boolean }> {
  const sha256 = digest(token)
  const kept = token.length < SHORTEST_TOKEN ? undefined : await secrets.secret('admin-token-sha256', () => sha256)
  if (kept === undefined) throw new MuslinError('bad-settings', `the token in ${file} has fewer than ${SHORTEST_TOKEN} characters; write a longer one there, or remove the file`)
  if (kept !== sha256) await secrets.replace('admin-token-sha256', sha256)
  return { sha256, made: undefined, taken: kept !== sha256 }
}

/** Undefined where there is none: who has it elsewhere may remove the file. */
async function readToken(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new MuslinError('data-folder', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}); check its owner and mode`, { cause: error })
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
