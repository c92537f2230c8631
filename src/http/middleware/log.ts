import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Clock } from '../../services/ports.ts'
import { plainAddress } from '../asker.ts'

/** One line a request, when its answer has gone out or its client has. */
export function requestLog({ log, clock }: { log: Logger; clock: Clock }): Middleware {
  return async (ctx, next) => {
    const began = clock.now()
    const { method, path } = ctx
    const peer = ctx.req.socket.remoteAddress ?? ''
    ctx.res.once('close', () => {
      log.info({
        method, path, status: ctx.res.statusCode, complete: ctx.res.writableFinished, ms: clock.now() - began,
        client: plainAddress(peer), agent: ctx.get('User-Agent').slice(0, 80),
      }, 'request')
    })
    await next()
  }
}
