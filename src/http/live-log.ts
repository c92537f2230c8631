import { Readable } from 'node:stream'
import type { Clock } from '../services/ports.ts'

const LOOK_AGAIN_MS = 500

interface Source {
  read: (from: number) => Promise<{ body: Readable; end: number } | undefined>
  finished: () => Promise<boolean>
  clock: Clock
  /** Aborts when nobody reads any more. */
  left: AbortSignal
}

/** The bytes of a log, and then each as it is written, until its build is finished. */
export function liveLog(source: Source): Readable {
  return Readable.from(chunks(source), { objectMode: false })
}

async function* chunks({ read, finished, clock, left }: Source): AsyncGenerator<Uint8Array> {
  let from = 0
  while (!left.aborted) {
    // Asked before reading: what was written before the end is then surely read.
    const last = await finished()
    const news = await read(from)
    if (news) {
      yield* news.body
      from = news.end
    }
    if (last) return
    await clock.sleep(LOOK_AGAIN_MS, left).catch(() => {})
  }
}
