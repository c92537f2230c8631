import type { Context } from 'koa'

/**
 * Aborts when the client has left, or has its answer. A stream made of an async generator tells it too late: its `close` comes after
 * the generator has ended, which may be waiting for a change.
 */
export function leaving(ctx: Context): AbortSignal {
  const left = new AbortController()
  ctx.res.once('close', () => left.abort())
  return left.signal
}
