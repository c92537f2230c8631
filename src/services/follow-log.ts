import type { Clock } from './ports.ts'

/** How often a log that is written is looked at. */
const LOOK_AGAIN_MS = 500

/**
 * Reads a log, and then again and again what came, until its build is finished or `signal` aborts. Yields what `read` gave each time, with
 * `last` where nothing more can come.
 */
export async function* followLog<News>({ read, finished, clock, signal, everyMs = LOOK_AGAIN_MS }: {
  read: (last: boolean) => Promise<News>
  finished: () => Promise<boolean>
  clock: Clock
  /** Aborts when nobody reads any more. */
  signal: AbortSignal
  everyMs?: number
}): AsyncGenerator<{ news: News; last: boolean }> {
  while (!signal.aborted) {
    // Asked before reading: what was written before the end is then surely read.
    const last = await finished()
    yield { news: await read(last), last }
    if (last) return
    await clock.sleep(everyMs, signal).catch(() => undefined)
  }
}
