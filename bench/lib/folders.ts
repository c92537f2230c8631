import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The tree that is measured. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Node as the project pins it. */
export const NODE = join(ROOT, 'node_modules/.bin/node')
export const RESULTS = join(ROOT, 'bench/results')
/** What is made once for a machine: the peers, and the files of the install set. */
export const CACHE = join(homedir(), '.cache/muslin-bench')

const made: string[] = []

/** A new empty folder for one use, gone when the bench ends. In memory where `inMemory`, so that a client's disk is not what is measured. */
export function scratch(name: string, inMemory = false): string {
  const parent = inMemory ? '/dev/shm' : tmpdir()
  const folder = mkdtempSync(join(parent, `muslin-bench-${name}-`))
  made.push(folder)
  return folder
}

/** Ends a folder's use before the bench ends. */
export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

export function discardAll(): void {
  for (const folder of made.splice(0)) discard(folder)
}

export function cached(name: string): string {
  const folder = join(CACHE, name)
  mkdirSync(folder, { recursive: true })
  return folder
}
