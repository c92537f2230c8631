/** Where a recording lies and how: `pages/{project}.json`, `files/{sha256}/{filename}` with `.metadata` beside each wheel, `sixty.lock`. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface RecordedFile {
  sha256: string
  filename: string
  /** The file on this machine. */
  path: string
}

/** `MUSLIN_RECORDING`, else a folder of the user's cache. */
export const RECORDING = process.env['MUSLIN_RECORDING'] || join(homedir(), '.cache/muslin-recording')

export function lockOf(folder: string): string {
  return join(folder, 'sixty.lock')
}

/** The recorded pages by project, as their bytes were but for hosts. Empty where nothing is recorded. */
export async function recordedPages(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(join(folder, 'pages')).catch(() => [])).filter((name) => name.endsWith('.json')).toSorted()
  return new Map(await Promise.all(names.map(async (name) => [name.slice(0, -'.json'.length), await readFile(join(folder, 'pages', name))] as const)))
}

/** The recorded files, without the `.metadata` beside them. */
export async function recordedFiles(folder: string): Promise<RecordedFile[]> {
  const digests = await readdir(join(folder, 'files')).catch(() => [])
  const found = await Promise.all(digests.map(async (sha256) => {
    const filenames = (await readdir(join(folder, 'files', sha256))).filter((name) => !name.endsWith('.metadata') && !name.endsWith('.part'))
    return filenames.map((filename) => ({ sha256, filename, path: join(folder, 'files', sha256, filename) }))
  }))
  return found.flat()
}

/** The projects of the recorded lock and their versions. */
export async function lockedProjects(folder: string): Promise<Map<string, string>> {
  const lock = await readFile(lockOf(folder), 'utf8')
  return new Map([...lock.matchAll(/^([a-z0-9-]+)==([^\s\\]+)/gm)].map(([, name = '', version = '']) => [name, version]))
}

/** Writes a file as a whole or not at all. */
export async function put(path: string, bytes: Buffer | string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(`${path}.${process.pid}.part`, bytes)
  await rename(`${path}.${process.pid}.part`, path)
}
