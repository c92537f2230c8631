import type { Middleware } from 'koa'
import { MuslinError } from '../../errors.ts'

/** A lock file of thousands of lines has a tenth of it. */
export const MOST_BODY_BYTES = 20 * 1000 * 1000

/** Bodies are refused by their announced length, before a byte of them comes; who asks whether to send one is told to. */
export function announcedBodies(): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST') {
      if (Number(ctx.get('Content-Length')) > MOST_BODY_BYTES) {
        // What is on its way must not be taken for the next request.
        ctx.set('Connection', 'close')
        throw tooLarge()
      }
      // RFC 9110 section 10.1.1. Of requests without a body 100 means "still waiting", so none is sent by itself.
      if (ctx.get('Expect').toLowerCase() === '100-continue') ctx.res.writeContinue()
    }
    await next()
  }
}

export function tooLarge(): MuslinError {
  return new MuslinError('too-large', `bodies have at most ${MOST_BODY_BYTES / 1_000_000} MB; send fewer files at once`)
}
