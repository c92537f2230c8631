import type { Readable } from 'node:stream'
import { followLog } from '../../services/follow-log.ts'
import type { Clock } from '../../services/ports.ts'
import { eventText, HEARTBEAT_MS, STILL_HERE } from './event-stream.ts'

const NEWLINE = 10

/**
 * A log as events of whole lines, from the offset `from` on until its build is finished; `end` then tells how it ended. The id of an
 * event is the offset behind it, from which a client that was cut off goes on.
 */
export async function* logEvents({ read, finished, end, from, clock, signal }: {
  read: (from: number) => Promise<{ body: Readable; end: number; whole: boolean } | undefined>
  finished: () => Promise<boolean>
  end: () => Promise<unknown>
  from: number
  clock: Clock
  signal: AbortSignal
}): AsyncGenerator<string> {
  let at = from
  /** The beginning of a line whose end is still to come. */
  let rest: Buffer = Buffer.alloc(0)
  let silentSince = clock.now()
  for await (const { news, last } of followLog({ read: () => read(at), finished, clock, signal })) {
    if (news && news.end > at) silentSince = clock.now()
    if (news) {
      for await (const chunk of news.body as AsyncIterable<Buffer>) {
        at += chunk.length
        const bytes = Buffer.concat([rest, chunk])
        const lines = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1)
        rest = bytes.subarray(lines.length)
        // Where something is missing in between, only the end's offset is known.
        if (lines.length > 0) yield eventText({ id: news.whole ? at - rest.length : undefined, data: { text: lines.toString() } })
      }
      at = news.end
      // By itself it tells nobody anything, and is where to go on from.
      if (!news.whole) yield `id: ${at - rest.length}\n\n`
    }
    if (last) {
      if (rest.length > 0) yield eventText({ id: at, data: { text: rest.toString() } })
      yield eventText({ event: 'end', id: at, data: await end() })
      return
    }
    if (clock.now() - silentSince >= HEARTBEAT_MS) {
      silentSince = clock.now()
      yield STILL_HERE
    }
  }
}
