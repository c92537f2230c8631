/**
 * The folder of a run. Below `places` lies what code of the run wrote: no code of ours touches that by a path that leads through it, since it may
 * hold links to anywhere; the programs that do are those that follow none.
 */
import { execa } from 'execa'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { statfsSync, statSync } from 'node:fs'
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
  /** The places lie in memory, on a disk of their own of limited size. */
  inMemory: boolean
}

/**
 * Makes the folder of a run, which must not exist. `user` owns its places where the server is root; `shownUser` is the uid that code of
 * the run sees itself as. With `memoryBytes` the places lie in memory where this process may mount; they are then limited to so many
 * together, and whoever writes there is charged.
 */
export async function makeFolder({ path, machine, writable, network, user, shownUser, memoryBytes }: {
  path: string
  machine: Machine
  writable: string[]
  network: 'none' | 'fetch'
  user: number | undefined
  shownUser: number
  memoryBytes?: number | undefined
}): Promise<RunFolder> {
  const folder = folderAt(path, writable)
  await mkdir(path, { mode: 0o700 })
  for (const sub of [folder.stage, folder.etc, join(path, 'places')]) await makeReadable(sub)
  if (memoryBytes !== undefined) folder.inMemory = await mountMemory(join(path, 'places'), memoryBytes)
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

/** Where things lie in the folder of a run. /dev/shm is a place too: the bytes in it are counted with all others. */
export function folderAt(path: string, writable: string[]): RunFolder {
  const places = [...writable, '/dev/shm'].map((to, at) => ({ from: join(path, 'places', String(at)), to }))
  return { path, etc: join(path, 'etc'), stage: join(path, 'stage'), places, inMemory: false }
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

/** Files, folders and links that may take so many bytes: one to a page. They cost memory of the kernel's own, whatever is in them. */
export function filesFor(diskBytes: number): number {
  return Math.max(4096, Math.floor(diskBytes / 4096))
}

/** False where this process may not mount. Programs run there, as in a container's: a configure script runs what it just compiled. */
async function mountMemory(path: string, bytes: number): Promise<boolean> {
  const settings = `size=${Math.floor(bytes)},nr_inodes=${filesFor(bytes)},mode=0755,nosuid,nodev`
  return (await outside(['mount', '-t', 'tmpfs', '-o', settings, 'muslin', path])).exitCode === 0
}

/** What a disk has left, or what is taken of it. */
export interface Taken { bytes: number; files: number }

/** What is free on the disk that a folder lies on; beyond all bounds where the folder is gone, or the disk does not count its files. */
export function freeOn(path: string): Taken {
  try {
    const { bfree, bsize, files, ffree } = statfsSync(path)
    return { bytes: bfree * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree }
  } catch {
    return { bytes: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY }
  }
}

/**
 * What the files of a run take. Where the server is not root, code of the run could hide them from it behind a mode: as root of a user
 * namespace it sees them all, where it can be. Undefined where no walk is possible.
 */
export async function walkFolder(path: string, root: boolean): Promise<Taken | undefined> {
  const [bytes, files] = await Promise.all([walk('-k'), walk('--inodes')])
  // Busybox counts no inodes: the disk does.
  return bytes === undefined ? undefined : { bytes: bytes * 1024, files: files ?? 0 }

  async function walk(what: string): Promise<number | undefined> {
    const command = ['du', '-s', what, '-x', '--', join(path, 'places')]
    for (const way of root ? [command] : [['unshare', '--user', '--map-root-user', '--', ...command], command]) {
      // What vanishes under it makes it complain, and tells nothing.
      const sum = /^(\d+)\s/.exec((await outside(way)).stdout)?.[1]
      if (sum !== undefined) return Number(sum)
    }
    return undefined
  }
}

/** Removes the folder of a run that nothing runs in any more, whatever modes and depths its code left there. Throws with rm's words. */
export async function removeFolder(path: string): Promise<void> {
  if (isMounted(path)) {
    const unmount = await outside(['umount', '--', join(path, 'places')])
    // What still holds it open will let go; until then it is nobody's folder.
    if (unmount.exitCode !== 0) await outside(['umount', '-l', '--', join(path, 'places')])
  }
  if ((await outside(['rm', '-rf', '--one-file-system', '--', path])).exitCode === 0) return
  await outside(['chmod', '-R', 'u+rwX', '--', path])
  const { exitCode, stderr } = await outside(['rm', '-rf', '--one-file-system', '--', path], 'pipe')
  if (exitCode !== 0) throw new Error(`${path} cannot be removed: ${stderr.trim().split('\n').at(-1)}`)
}

function isMounted(path: string): boolean {
  const [own, places] = [path, join(path, 'places')].map((one) => statSync(one, { throwIfNoEntry: false })?.dev)
  return places !== undefined && places !== own
}

/** What it has to say, one line for each of perhaps a million files, is asked for only where it is read. */
async function outside([file = '', ...args]: string[], stderr: 'ignore' | 'pipe' = 'ignore') {
  const settings = { env: OUTSIDE, extendEnv: false, reject: false, stdin: 'ignore', timeout: PATIENCE_MS, stderr, maxBuffer: 1 << 20 } as const
  const ended = await execa(file, args, settings)
  return { stdout: ended.stdout, stderr: String(ended.stderr ?? ''), exitCode: ended.exitCode }
}
