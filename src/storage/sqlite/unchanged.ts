import type { Database } from 'better-sqlite3'

/** What the database said, until somebody writes. */
export interface Unchanged {
  /**
   * What `read` says, or said since the last change. What this process changes and tells by `forget` is seen at once, all else by the next turn of
   * the event loop: an answer may be as old as the turn that it is given in.
   */
  said<T>(question: string, read: () => T): T
  forget(): void
}

/** Of files there may be millions. */
const REMEMBERED = 20_000

/** A question to SQLite takes three system calls, as many as the answer to a request that needs only one: so whether anything changed is asked once a turn. */
export function createUnchanged(db: Database): Unchanged {
  // Of other connections the first tells, of this one the second.
  const versions = db.prepare<[], number>('PRAGMA data_version').pluck()
  const own = db.prepare<[], number>('SELECT total_changes()').pluck()
  const answers = new Map<string, { said: unknown }>()
  let looked = false
  let seen: number | undefined
  let written: number | undefined

  function look(): void {
    const [version, changes] = [versions.get(), own.get()]
    if (version !== seen || changes !== written) answers.clear()
    seen = version
    written = changes
    looked = true
    setImmediate(() => { looked = false })
  }

  return {
    said<T>(question: string, read: () => T): T {
      if (!looked) look()
      const known = answers.get(question)
      if (known) return known.said as T
      const said = read()
      if (answers.size >= REMEMBERED) answers.clear()
      answers.set(question, { said })
      return said
    },
    forget: () => answers.clear(),
  }
}
