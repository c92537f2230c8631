import { Readable } from 'node:stream'
import { followLog } from '../services/follow-log.ts'
import type { Clock } from '../services/ports.ts'

interface Source {
  read: (from: number) => Promise<{ body: Readable; end: number } | undefined>
  finished: () => Promise<boolean>
  clock: Clock
  /** Aborts when nobody reads any more, or the server stops. */
  signal: AbortSignal
}

/** The bytes of a log, and then each as it is written, until its build is finished. */
export function liveLog(source: Source): Readable {
  return Readable.from(chunks(source), { objectMode: false })
}

async function* chunks({ read, ...source }: Source): AsyncGenerator<Uint8Array> {
  let from = 0
  for await (const { news } of followLog({ ...source, read: () => read(from) })) {
    if (!news) continue
    yield* news.body
    from = news.end
  }
}
