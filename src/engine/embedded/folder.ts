/**
 * The folder of a run. Below `places` lies what code of the run wrote: no code of ours touches that by a path that leads through it, since it may
 * hold links to anywhere; the programs that do are those that follow none.
 */
import { execa } from 'execa'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { statfsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { OUTSIDE } from './box.ts'
import { shownEtc, type Machine } from './layout.ts'

const HOST = 'muslin'
/** Walks and removals of even a full disk end before that. */
const PATIENCE_MS = 5 * 60_000

export interface RunFolder {
  path: string
  etc: string
  stage: string
  places: { from: string; to: string }[]
}

/**
 * Makes the folder of a run, which must not exist. `user` owns its places where the server is root; `shownUser` is the uid that code of
 * the run sees itself as.
 */
export async function makeFolder({ path, machine, writable, network, user, shownUser }: {
  path: string
  machine: Machine
  writable: string[]
  network: 'none' | 'fetch'
  user: number | undefined
  shownUser: number
}): Promise<RunFolder> {
  const folder = folderAt(path, writable)
  await mkdir(path, { mode: 0o700 })
  for (const sub of [folder.stage, folder.etc, join(path, 'places')]) await makeReadable(sub)
  for (const { from } of folder.places) {
    await makeReadable(from)
    if (user !== undefined) await chown(from, user, user)
  }
  for (const [name, text] of Object.entries(await etcFiles(network, shownUser))) await writeReadable(join(folder.etc, name), text)
  for (const shown of shownEtc(machine, network)) {
    const point = join(folder.etc, basename(shown))
    if ((await stat(shown)).isDirectory()) await makeReadable(point)
    else await writeReadable(point, '')
  }
  return folder
}

/** Where things lie in the folder of a run. /dev/shm is on the disk too: the bytes in it are counted with all others. */
export function folderAt(path: string, writable: string[]): RunFolder {
  const places = [...writable, '/dev/shm'].map((to, at) => ({ from: join(path, 'places', String(at)), to }))
  return { path, etc: join(path, 'etc'), stage: join(path, 'stage'), places }
}

/** Whatever the server's umask is: the user of the run is another one. */
async function makeReadable(path: string): Promise<void> {
  await mkdir(path)
  await chmod(path, 0o755)
}

async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o644)
}

async function etcFiles(network: 'none' | 'fetch', uid: number): Promise<Record<string, string>> {
  const users = uid === 0 ? ['root'] : ['root', 'build']
  const idOf = (name: string) => name === 'root' ? 0 : uid
  return {
    passwd: users.map((name) => `${name}:x:${idOf(name)}:${idOf(name)}::/tmp:/bin/sh\n`).join(''),
    group: users.map((name) => `${name}:x:${idOf(name)}:\n`).join(''),
    hosts: `127.0.0.1 localhost ${HOST}\n::1 localhost ${HOST}\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    ...(network === 'fetch' ? { 'resolv.conf': await readFile('/etc/resolv.conf', 'utf8').catch(() => '') } : {}),
  }
}

/** Free bytes of the disk that a folder lies on; beyond all bounds where the folder is gone. */
export function freeBytes(path: string): number {
  try {
    const { bfree, bsize } = statfsSync(path)
    return bfree * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * Bytes that the files of a run take. Where the server is not root, code of the run could hide them from it behind a mode: as root of a
 * user namespace it sees them all, where it can be. Undefined where no walk is possible.
 */
export async function walkFolder(path: string, root: boolean): Promise<number | undefined> {
  const walk = ['du', '-s', '-k', '-x', '--', join(path, 'places')]
  const ways = root ? [walk] : [['unshare', '--user', '--map-root-user', '--', ...walk], walk]
  for (const way of ways) {
    // What vanishes under it makes it complain, and tells nothing.
    const kilobytes = /^(\d+)\s/.exec((await outside(way)).stdout)?.[1]
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  }
  return undefined
}

/** Removes the folder of a run that nothing runs in any more, whatever modes and depths its code left there. Throws with rm's words. */
export async function removeFolder(path: string): Promise<void> {
  if ((await outside(['rm', '-rf', '--one-file-system', '--', path])).exitCode === 0) return
  await outside(['chmod', '-R', 'u+rwX', '--', path])
  const { exitCode, stderr } = await outside(['rm', '-rf', '--one-file-system', '--', path], 'pipe')
  if (exitCode !== 0) throw new Error(`${path} cannot be removed: ${stderr.trim().split('\n').at(-1)}`)
}

/** What it has to say, one line for each of perhaps a million files, is asked for only where it is read. */
async function outside([file = '', ...args]: string[], stderr: 'ignore' | 'pipe' = 'ignore') {
  const settings = { env: OUTSIDE, extendEnv: false, reject: false, stdin: 'ignore', timeout: PATIENCE_MS, stderr, maxBuffer: 1 << 20 } as const
  const ended = await execa(file, args, settings)
  return { stdout: ended.stdout, stderr: String(ended.stderr ?? ''), exitCode: ended.exitCode }
}
