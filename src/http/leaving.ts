import type { ServerResponse } from 'node:http'
import type { Context } from 'koa'

/** However many parts of the program wait for it, an answer is listened to once. */
const known = new WeakMap<ServerResponse, AbortSignal>()

/**
 * Aborts when the client has left, or has its answer. A stream made of an async generator tells it too late: its `close` comes after
 * the generator has ended, which may be waiting for a change.
 */
export function leaving({ res }: Context): AbortSignal {
  const found = known.get(res)
  if (found) return found
  const left = new AbortController()
  known.set(res, left.signal)
  res.once('close', () => left.abort())
  return left.signal
}
