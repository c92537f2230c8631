import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { codeOf } from './disk-error.ts'

/**
 * A folder of this process's own inside `folder`, for drafts or scratch, marked as alive for as long as the process lives.
 *
 * The mark is a lock on the file beside it, taken by an open SQLite transaction: the kernel frees it in the moment the process
 * dies, however it dies, and it holds across containers that share the volume, where process ids collide and clocks or paused
 * processes fool a heartbeat. Where such locks do not work the database in the same data folder would not work either.
 */
export function claimProcessFolder(folder: string): { path: string; lock: { close(): unknown } } {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (;;) {
    const path = join(folder, randomUUID())
    const lock = tryLock(`${path}.lock`)
    // A sweep can take the new file before we lock it; then it has unlinked it, and our lock is worth nothing.
    if (!lock) continue
    if (existsSync(`${path}.lock`)) {
      mkdirSync(path, { mode: 0o700 })
      return { path, lock }
    }
    lock.close()
  }
}

/** Whether a process that claimed a folder here is alive. */
export function hasLivingProcess(folder: string): boolean {
  return locksIn(folder).some((name) => {
    const lock = tryLock(join(folder, name))
    lock?.close()
    return lock === undefined
  })
}

/** What lies in the folders of processes that are no more, by path below `folder`. */
export function leftByProcesses(folder: string): string[] {
  return locksIn(folder).flatMap((name) => {
    const lock = tryLock(join(folder, name))
    lock?.close()
    const left = name.slice(0, -'.lock'.length)
    return lock && existsSync(join(folder, left)) ? readdirSync(join(folder, left)).map((entry) => join(left, entry)) : []
  })
}

function locksIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.lock')) : []
}

/** Removes the folders of processes that are no more; returns how many entries lay in them. */
export function sweepProcessFolders(folder: string): number {
  let swept = 0
  for (const name of locksIn(folder)) {
    const lock = tryLock(join(folder, name))
    if (!lock) continue
    const left = join(folder, name.slice(0, -'.lock'.length))
    if (existsSync(left)) swept += readdirSync(left).length
    // The lock file goes last: a sweep that is cut short is finished by the next one.
    rmSync(left, { recursive: true, force: true })
    rmSync(join(folder, name), { force: true })
    lock.close()
  }
  return swept
}

function tryLock(file: string): Database.Database | undefined {
  const lock = new Database(file, { timeout: 0 })
  try {
    // Nothing is ever written through it: without this a journal would lie beside each lock.
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (codeOf(error).startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}
