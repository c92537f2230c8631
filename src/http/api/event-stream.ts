import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { Clock } from '../../services/ports.ts'
import { leaving } from '../leaving.ts'

/** Between two tellings that something changed. */
const THROTTLE_MS = 500
/** Proxies cut what is silent for a minute. */
export const HEARTBEAT_MS = 15_000
/** A comment, which clients pass over. */
export const STILL_HERE = ': still here\n\n'

/**
 * Answers with server-sent events (WHATWG HTML section 9.2). `events` gets a signal that aborts when the client leaves or the server
 * stops, and must then end.
 */
export function sendEvents(ctx: Context, closing: AbortSignal, events: (signal: AbortSignal) => AsyncGenerator<string>): void {
  ctx.status = 200
  ctx.set('Content-Type', 'text/event-stream; charset=utf-8')
  // Without it nginx keeps events back until there are enough of them.
  ctx.set('X-Accel-Buffering', 'no')
  if (ctx.method === 'HEAD') return
  ctx.body = Readable.from(opened(events(AbortSignal.any([closing, leaving(ctx)]))), { objectMode: false })
}

/** Headers go out with the first bytes: a client that waits for the first event knows that it is connected. */
async function* opened(events: AsyncGenerator<string>): AsyncGenerator<string> {
  yield ': open\n\n'
  yield* events
}

/** One event with JSON, which has no line breaks of its own. */
export function eventText({ event, id, data }: { event?: string; id?: number | undefined; data: unknown }): string {
  return `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}

/** `event: changed` after any job, or what else is watched, may have changed, at most twice a second; a comment every 15 seconds of silence. */
export async function* changedEvents({ watched, clock, signal }: { watched: { watch(changed: () => void): () => void }[]; clock: Clock; signal: AbortSignal }): AsyncGenerator<string> {
  let changed = false
  let wake: (() => void) | undefined
  const unwatch = watched.map((one) => one.watch(() => {
    changed = true
    wake?.()
  }))
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false
        yield eventText({ event: 'changed', data: {} })
        await clock.sleep(THROTTLE_MS, signal).catch(() => undefined)
      } else {
        const rested = new AbortController()
        const news = new Promise<void>((resolve) => { wake = resolve })
        const silent = clock.sleep(HEARTBEAT_MS, AbortSignal.any([signal, rested.signal])).catch(() => undefined)
        await Promise.race([news, silent])
        rested.abort()
        if (!changed && !signal.aborted) yield STILL_HERE
      }
    }
  } finally {
    for (const stop of unwatch) stop()
  }
}
