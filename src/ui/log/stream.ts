import { Readable } from 'node:stream'
import { followLog } from '../../services/follow-log.ts'
import type { BuildLogs, Clock } from '../../services/ports.ts'
import { linesHtml } from './lines.ts'
import { HEAD_LINES, positionCode, readWindow, type Position } from './window.ts'

const LOOK_AGAIN_MS = 400
/** Proxies and browsers give up on what is silent for long. */
const SAY_SOMETHING_MS = 15_000

/**
 * A log from a place on as server-sent events (HTML, section 9.2), until its build ends: `lines` carries HTML lines, whose
 * numbers tell where some are left out, `end` that nothing more comes. Each event's id is the place behind it.
 */
export function logEvents({ logs, build, from, finished, clock, closing }: {
  logs: Pick<BuildLogs, 'read'>
  build: number
  from: Position
  finished: () => Promise<boolean>
  clock: Clock
  closing: AbortSignal | undefined
}): Readable {
  const left = new AbortController()
  const signal = closing ? AbortSignal.any([left.signal, closing]) : left.signal
  const stream = Readable.from(events(), { objectMode: false })
  stream.once('close', () => left.abort())
  return stream

  async function* events(): AsyncGenerator<string> {
    let place = from
    let silentSince = clock.now()
    // Begins at once, so that the browser knows that it is connected.
    yield ': the log\n\n'
    const read = (last: boolean) => readWindow(logs, build, place, { ended: last, head: place.offset === 0 ? HEAD_LINES : 0 })
    for await (const { news: window, last } of followLog({ read, finished, clock, signal, everyMs: LOOK_AGAIN_MS })) {
      if (window && window.next.line > place.line) {
        place = window.next
        silentSince = clock.now()
        if (window.head.length > 0) yield event('lines', linesHtml(window.head))
        // The id goes with the last one: a connection cut before it begins anew from the earlier place.
        yield event('lines', linesHtml(window.tail), positionCode(place))
      }
      if (last) return yield event('end', '')
      if (clock.now() - silentSince >= SAY_SOMETHING_MS) {
        silentSince = clock.now()
        yield ':\n\n'
      }
    }
  }
}

function event(name: string, data: string, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data.replaceAll('\n', '\ndata: ')}\n\n`
}
