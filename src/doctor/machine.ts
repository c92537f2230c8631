/** What the machine itself must have: Node, the data folder, its disk. */
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import about from '../../package.json' with { type: 'json' }
import type { Check } from '../cli/context.ts'
import { fail, ok, warn } from './check.ts'

const GB = 1000 ** 3
const MUCH_BYTES = 5 * GB
const LITTLE_BYTES = GB / 10

/** `version` without a `v`. */
export function nodeCheck(version: string): Check {
  const least = Number(/\d+/.exec(about.engines.node)?.[0])
  return Number.parseInt(version, 10) >= least ? ok('node', version) : fail('node', `${version}, older than ${least}`, 'start Muslin by npm start or ./muslin, which take the Node that npm install brought')
}

/** The data folder can be written, or made, and is its owner's alone. */
export async function dataCheck(data: string): Promise<Check> {
  const folder = await nearestFolder(data)
  if (!await mayWrite(folder.path)) return fail('data', `${folder.path} cannot be written by this user`, 'give its ownership to the user that runs Muslin, or choose another by --data')
  if (!folder.isData) return ok('data', `${data}, made at the first start`)
  if (!folder.isFolder) return fail('data', `${data} is no folder`, 'choose another by --data')
  if (folder.mode & 0o077) return warn('data', `${data} can be read by others (mode ${octal(folder.mode)})`, `secrets lie there: chmod 700 ${data}`)
  return ok('data', data)
}

/** The admin's token is its owner's alone. */
export async function tokenCheck(data: string): Promise<Check> {
  const file = join(data, 'admin-token')
  const mode = (await found(file))?.mode
  if (mode === undefined) return ok('token', 'none yet, made at the first start')
  if (mode & 0o077) return fail('token', `${file} can be read by others (mode ${octal(mode)})`, `chmod 600 ${file}`)
  return await mayRead(file) ? ok('token', `${file}, its owner's alone`) : warn('token', `${file} cannot be read by this user`, 'commands find it only as its owner: give it by --token or MUSLIN_TOKEN')
}

/** Room on the disk of the data folder, of what plain users may fill. */
export async function diskCheck(data: string): Promise<Check> {
  const { path } = await nearestFolder(data)
  const { bavail, bsize } = await statfs(path)
  return diskFound(bavail * bsize)
}

export function diskFound(bytes: number): Check {
  const free = `${(bytes / GB).toFixed(1)} GB free`
  const remedy = 'make room on the disk of the data folder, or choose another by --data'
  return bytes < LITTLE_BYTES ? fail('disk', `${free}: nothing more can be kept`, remedy) : bytes < MUCH_BYTES ? warn('disk', free, remedy) : ok('disk', free)
}

/** The data folder itself, or the nearest one above it that is there. */
async function nearestFolder(data: string): Promise<{ path: string; isData: boolean; isFolder: boolean; mode: number }> {
  for (let path = data; ; path = dirname(path)) {
    const there = await found(path)
    if (there) return { path, isData: path === data, isFolder: there.isDirectory(), mode: there.mode }
    if (path === dirname(path)) throw new Error(`${data} has no folder above it`)
  }
}

async function found(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
}

async function mayWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(() => true, () => false)
}

async function mayRead(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(() => true, () => false)
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8)
}
