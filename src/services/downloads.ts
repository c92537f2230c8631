/** Counts what installers are served. */
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { targetOf, type Client } from '../domain/client.ts'
import { parseTarget } from '../domain/target.ts'
import { lastOf } from './last-of.ts'
import type { Clock, DownloadStore } from './ports.ts'

/** A write to disk for each file would slow down what is counted. */
const WRITE_MS = 3_000
/** An install may fetch a file twice, with all its builds between. */
const SAME_MS = 60 * 60 * 1000
const REMEMBERED = 10_000
/** So many are written while requests wait a few milliseconds. */
const AT_ONCE = 500
/** Of a database that takes nothing for long, the rest goes uncounted. */
const MOST = 100_000

const INSTALLERS: readonly Client['tool'][] = ['pip', 'uv', 'poetry', 'pdm']

export interface Downloads {
  /** A file is being sent from its first byte on. Counts where the client is an installer, and not one of our own builds. */
  served(download: { sha256: string; filename: string; client: Client; address: string }): void
  /** Writes what was counted until now. Never throws: what cannot be written is logged, and kept for the next time. */
  flush(): Promise<void>
}

/** Counted in memory and written every three seconds, and at the end. */
export function createDownloads({ downloads, targets, clock, log }: {
  downloads: DownloadStore
  /** Names of the configured targets: what clients on each of them were sent is counted by release too. */
  targets: string[]
  clock: Clock
  log: Logger
}): Downloads & { close(): Promise<void> } {
  const closing = new AbortController()
  const wanted = lastOf<number>(REMEMBERED)
  const known = targets.flatMap((name) => parseTarget(name) ?? [])
  const pending: Parameters<DownloadStore['add']>[0] = []
  let soon: Promise<void> | undefined
  let writing = Promise.resolve()

  return {
    served({ sha256, filename, client, address }) {
      if (client.own || !INSTALLERS.includes(client.tool) || pending.length >= MOST || closing.signal.aborted) return
      pending.push({ sha256, filename, client: address, at: clock.now(), target: isNews(`${sha256} ${filename} ${address}`) ? targetOf(client, known)?.name : undefined })
      soon ??= later()
    },
    flush,
    async close() {
      closing.abort()
      await flush()
    },
  }

  function isNews(key: string): boolean {
    const now = clock.now()
    const last = wanted.get(key)
    if (last !== undefined && now - last < SAME_MS) return false
    // What does not count moves no hour on: who asks all the time would count once for ever.
    wanted.set(key, now)
    return true
  }

  async function later(): Promise<void> {
    await clock.sleep(WRITE_MS, closing.signal).catch(() => undefined)
    soon = undefined
    await flush()
  }

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  async function write(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.splice(0, AT_ONCE)
      try {
        await downloads.add(batch)
      } catch (error) {
        pending.unshift(...batch)
        log.warn({ err: error, downloads: pending.length }, 'downloads could not be counted')
        if (!closing.signal.aborted) soon ??= later()
        return
      }
      await setImmediate()
    }
  }
}
