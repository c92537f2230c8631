/** What a box shows of this machine: its own folders without what they know of others, and the run's places. Pure but for `lookAround`. */
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MuslinError } from '../../errors.ts'
import type { Root } from './roots.ts'

/** In the order in which they are made. `to` is a path in the box; folders above it are made. */
export type Mount =
  | { kind: 'folder'; to: string }
  /** A file or folder of the machine with all that is mounted below it, read-only, without devices and set-user-id programs. */
  | { kind: 'read'; from: string; to: string }
  | { kind: 'write'; from: string; to: string }
  | { kind: 'device'; from: string; to: string }
  /** An empty folder, read-only. */
  | { kind: 'empty'; to: string }
  /** An empty folder in memory, which `seal` makes read-only once what lies in it is mounted. */
  | { kind: 'open'; to: string }
  | { kind: 'seal'; to: string }
  | { kind: 'link'; from: string; to: string }

/** What `layout` needs to know of the machine. */
export interface Machine {
  /** Top folders that hold programs and libraries; `link` is set where one is a symbolic link, as on merged-/usr systems. */
  tops: { path: string; link: string | undefined }[]
  /** Folders in them that hold headers or pkg-config files: a build must not find libraries that a musl wheel cannot use. */
  hidden: string[]
  /** Files and folders of /etc that programs of /usr need wherever they run. */
  etc: string[]
  /** The same, for runs that reach the network by TLS. */
  certificates: string[]
}

const TOPS = /^(usr|bin|sbin|lib(32|64|x32)?)$/
const ETC = ['alternatives', 'ld.so.cache', `ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.path`]
const CERTIFICATES = ['ssl', 'pki', 'ca-certificates', 'crypto-policies']
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom']
const LINKS = { '/dev/fd': '/proc/self/fd', '/dev/stdin': '/proc/self/fd/0', '/dev/stdout': '/proc/self/fd/1', '/dev/stderr': '/proc/self/fd/2' }

/** Reads the folders that are named above; quick enough to be asked for each run, since somebody may install something. */
export function lookAround(): Machine {
  const tops = readdirSync('/').filter((name) => TOPS.test(name)).map((name) => {
    const path = join('/', name)
    return { path, link: lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined }
  })
  const libraries = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64']
  const multiarch = ['/usr/lib', '/usr/local/lib'].flatMap((path) => readdirQuietly(path).filter((name) => /-linux-/.test(name)).map((name) => join(path, name)))
  const hidden = ['/usr/include', '/usr/local/include', ...[...libraries, ...multiarch, '/usr/share', '/usr/local/share'].map((path) => `${path}/pkgconfig`)]
  return {
    tops,
    hidden: hidden.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() && !lstatSync(path).isSymbolicLink()),
    etc: present(ETC),
    certificates: present(CERTIFICATES),
  }
}

/**
 * The mounts of a box. `etc` is a folder of the machine that becomes /etc, with an empty entry for each of the machine's that is shown in
 * it; `places` are the writable ones. Throws `engine-unavailable` for a place that is no absolute path, or that something else would
 * lie in: what a build left there could lead that mount elsewhere.
 */
export function layout({ machine, root, etc, places, network }: {
  machine: Machine
  root: Root
  etc: string
  places: { from: string; to: string }[]
  network: 'none' | 'fetch'
}): Mount[] {
  const holds = (folder: string) => root.binds.some(({ to }) => to.startsWith(`${folder}/`))
  const mounts: Mount[] = [
    ...machine.tops.map(({ path, link }): Mount => link === undefined ? { kind: 'read', from: path, to: path } : { kind: 'link', from: link, to: path }),
    ...machine.hidden.map((to): Mount => ({ kind: holds(to) ? 'open' : 'empty', to })),
    { kind: 'read', from: etc, to: '/etc' },
    ...shownEtc(machine, network).map((path): Mount => ({ kind: 'read', from: path, to: path })),
    { kind: 'folder', to: '/dev' },
    ...DEVICES.map((name): Mount => ({ kind: 'device', from: `/dev/${name}`, to: `/dev/${name}` })),
    ...Object.entries(LINKS).map(([to, from]): Mount => ({ kind: 'link', from, to })),
    ...root.binds.flatMap(({ from, to }): Mount[] => [...above(to).map((folder): Mount => ({ kind: 'folder', to: folder })), { kind: 'read', from, to }]),
    ...machine.hidden.filter(holds).map((to): Mount => ({ kind: 'seal', to })),
  ]
  for (const { to: place } of places) {
    if (!place.startsWith('/') || place === '/') throw new MuslinError('engine-unavailable', `${place} is no absolute path: a run cannot write there`)
    const inside = mounts.find(({ to }) => to === place || to.startsWith(`${place}/`))
    if (inside) throw new MuslinError('engine-unavailable', `${inside.to} lies in ${place}, where a run writes: move it elsewhere`)
  }
  return [...mounts, ...places.map(({ from, to }): Mount => ({ kind: 'write', from, to }))]
}

/** The folders that lead to a path, outermost first: made by us, they can be entered by anybody. */
function above(path: string): string[] {
  const parts = path.split('/').slice(1, -1)
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
}

/** Paths of the machine's own /etc that are shown in a box. */
export function shownEtc(machine: Machine, network: 'none' | 'fetch'): string[] {
  return network === 'fetch' ? [...machine.etc, ...machine.certificates] : machine.etc
}

function present(names: string[]): string[] {
  return names.map((name) => join('/etc', name)).filter((path) => existsSync(path))
}

function readdirQuietly(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : []
}
