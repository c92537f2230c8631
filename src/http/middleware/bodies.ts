import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { MuslinError } from '../../errors.ts'
import { MOST_BODY_BYTES } from '../../services/bounds.ts'

/** So much of what is refused is read all the same. */
const MOST_DRAINED_BYTES = 64_000_000

/** Bodies are refused by their announced length; who asks whether to send one is told to. */
export function announcedBodies(): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST') {
      const waits = ctx.get('Expect').toLowerCase() === '100-continue'
      const announced = Number(ctx.get('Content-Length'))
      if (announced > MOST_BODY_BYTES) {
        // A browser reads no answer before it has sent all: cut in the middle, it would show that the connection was reset.
        if (!waits && announced <= MOST_DRAINED_BYTES) await drained(ctx.req)
        // What is on its way must not be taken for the next request.
        ctx.set('Connection', 'close')
        throw tooLarge()
      }
      // RFC 9110 section 10.1.1. Of requests without a body 100 means "still waiting", so none is sent by itself.
      if (waits) ctx.res.writeContinue()
    }
    await next()
  }
}

export function tooLarge(): MuslinError {
  return new MuslinError('too-large', `bodies have at most ${MOST_BODY_BYTES / 1_000_000} MB; send fewer files at once`)
}

/** Resolves when it all has come, or nothing more does. The server's requestTimeout bounds how long that takes. */
function drained(req: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close', 'error']) req.once(event, () => resolve())
    req.resume()
  })
}
