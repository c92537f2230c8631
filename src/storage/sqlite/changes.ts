import type { Database } from 'better-sqlite3'
import type { Unchanged } from './unchanged.ts'

/** How often other processes' changes are looked for, while somebody watches. Reading the counter takes microseconds. */
const POLL_MS = 100

/** What changed, for those who wait and for those who keep pages. */
export interface Changes {
  /** In the transaction that changes it: this project's page may be another from now on. */
  bump(project: string): void
  generation(project: string): number
  /** After the transaction: those who watch look again. */
  notify(): void
  watch(changed: () => void): () => void
  close(): void
}

/** Own changes are told at once; those of other connections are seen by SQLite's `data_version`, which rises with their commits. */
export function createChanges(db: Database, unchanged: Unchanged): Changes {
  const raise = db.prepare<[string]>('INSERT INTO generations VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1')
  const read = db.prepare<[string], number>('SELECT number FROM generations WHERE project = ?').pluck()
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck()
  const watchers = new Set<{ changed: () => void }>()
  let timer: NodeJS.Timeout | undefined
  let seen: number | undefined

  function notify(): void {
    unchanged.forget()
    for (const watcher of [...watchers]) watcher.changed()
  }

  function poll(): void {
    const now = dataVersion.get()
    if (now === seen) return
    seen = now
    notify()
  }

  function stopPolling(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    bump(project) {
      raise.run(project)
      unchanged.forget()
    },
    generation: (project) => read.get(project) ?? 0,
    notify,
    watch(changed) {
      // An object of its own, so that the same callback may watch twice.
      const watcher = { changed }
      watchers.add(watcher)
      if (!timer) {
        seen = dataVersion.get()
        timer = setInterval(poll, POLL_MS).unref()
      }
      return () => {
        watchers.delete(watcher)
        if (watchers.size === 0) stopPolling()
      }
    },
    close() {
      watchers.clear()
      stopPolling()
    },
  }
}
