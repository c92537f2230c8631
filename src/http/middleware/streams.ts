import { Readable } from 'node:stream'
import type { Context, Middleware } from 'koa'
import { MuslinError } from '../../errors.ts'
import type { Asker } from '../../services/admission.ts'
import { leaving } from '../leaving.ts'

/** Each holds a connection, and looks again and again. */
const MOST = 200
/** A person with many pages open, and some programs. */
const MOST_BY_ADDRESS = 20
const RETRY_AFTER_SECONDS = 15

/** Bounds how many server-sent events are being read at once, in all and by address. Throws `too-many-streams`. */
export function boundStreams({ asker }: { asker: (ctx: Context) => Asker }): Middleware {
  const open = new Map<string, number>()
  let all = 0
  return async (ctx, next) => {
    await next()
    if (ctx.type !== 'text/event-stream' || !(ctx.body instanceof Readable)) return
    const { address } = asker(ctx)
    const own = open.get(address) ?? 0
    if (all >= MOST || own >= MOST_BY_ADDRESS) {
      ctx.body.destroy()
      ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
      const who = own >= MOST_BY_ADDRESS ? `${address} reads ${MOST_BY_ADDRESS}` : `${MOST} are read`
      throw new MuslinError('too-many-streams', `${who} streams of events already; close some, or try again in a moment`)
    }
    all += 1
    open.set(address, own + 1)
    leaving(ctx).addEventListener('abort', () => {
      all -= 1
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  }
}
