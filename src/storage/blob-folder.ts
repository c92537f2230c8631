import type { Dirent } from 'node:fs'
import { chmod, mkdir, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreFault, StoredBlob } from '../services/ports.ts'
import { codeOf, diskError } from './disk-error.ts'
import { leftByProcesses, sweepProcessFolders } from './process-folder.ts'

/** Where bytes lie that were taken away. */
export const ASIDE = 'set-aside'
const PAIR = /^[0-9a-f]{2}$/
const OWN = new Set(['sha256', 'drafts', ASIDE])
/** What group and others may do: nothing. */
const OTHERS = 0o077

/** Where a blob lies. `sha256` must be one. */
export function blobPath(folder: string, sha256: string): string {
  return join(folder, 'sha256', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

/** The blobs under `folder` in the order of their digests; what lies there and is none is passed over. */
export async function* listBlobs(folder: string): AsyncGenerator<StoredBlob> {
  for (const ab of await folders(join(folder, 'sha256'))) {
    for (const cd of await folders(join(folder, 'sha256', ab))) {
      const leaf = join(folder, 'sha256', ab, cd)
      for (const { name } of (await entries(leaf)).filter((entry) => isBlob(entry, ab + cd))) {
        const found = await stat(join(leaf, name)).catch(absent)
        if (found) yield { sha256: name, size: found.size, keptAt: Math.trunc(found.mtimeMs) }
      }
    }
  }
}

/** Entries that are no blobs, what others may read, and drafts of dead processes. */
export async function* blobFaults(folder: string): AsyncGenerator<StoreFault> {
  yield* strays(folder, '', (entry) => entry.isDirectory() && OWN.has(entry.name))
  const root = join(folder, 'sha256')
  yield* strays(folder, 'sha256', (entry) => entry.isDirectory() && PAIR.test(entry.name))
  for (const ab of await folders(root)) {
    yield* strays(folder, join('sha256', ab), (entry) => entry.isDirectory() && PAIR.test(entry.name))
    for (const cd of await folders(join(root, ab))) {
      const leaf = join('sha256', ab, cd)
      yield* strays(folder, leaf, (entry) => isBlob(entry, ab + cd))
      for (const { name } of (await entries(join(folder, leaf))).filter((entry) => isBlob(entry, ab + cd))) yield* openToOthers(folder, join(leaf, name))
    }
  }
  for (const name of leftByProcesses(join(folder, 'drafts'))) {
    yield { kind: 'draft', name: join('drafts', name), async mend() { sweepProcessFolders(join(folder, 'drafts')) } }
  }
}

async function* strays(folder: string, below: string, isOurs: (entry: Dirent) => boolean): AsyncGenerator<StoreFault> {
  for (const entry of await entries(join(folder, below))) {
    if (isOurs(entry)) continue
    const name = join(below, entry.name)
    yield { kind: 'stray', name, mend: () => putAside(folder, name) }
  }
}

async function* openToOthers(folder: string, name: string): AsyncGenerator<StoreFault> {
  const path = join(folder, name)
  const found = await stat(path).catch(absent)
  if (found && (found.mode & OTHERS) !== 0) yield { kind: 'mode', name, mend: () => chmod(path, 0o600) }
}

/** Nobody knows what it is: it may be somebody's. */
async function putAside(folder: string, name: string): Promise<void> {
  try {
    await mkdir(join(folder, ASIDE), { recursive: true, mode: 0o700 })
    await rename(join(folder, name), join(folder, ASIDE, name.replaceAll('/', '-')))
  } catch (error) {
    throw diskError(error)
  }
}

function isBlob(entry: Dirent, prefix: string): boolean {
  return entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name) && entry.name.startsWith(prefix)
}

async function folders(path: string): Promise<string[]> {
  return (await entries(path)).filter((entry) => entry.isDirectory() && PAIR.test(entry.name)).map(({ name }) => name)
}

async function entries(path: string): Promise<Dirent[]> {
  try {
    return (await readdir(path, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw diskError(error)
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw diskError(error)
}
