import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Clock } from '../../services/ports.ts'
import { plainAddress } from '../asker.ts'

/** Logs one line for a request, when its answer has gone out or its client has. `path` is without the query. */
export type RequestLog = (req: IncomingMessage, res: ServerResponse, path: string) => void

export function createRequestLog({ log, clock }: { log: Logger; clock: Clock }): RequestLog {
  return (req, res, path) => {
    if (!log.isLevelEnabled('info')) return
    const began = clock.now()
    const peer = req.socket.remoteAddress ?? ''
    res.once('close', () => {
      log.info({
        method: req.method, path, status: res.statusCode, complete: res.writableFinished, ms: clock.now() - began,
        client: plainAddress(peer), agent: (req.headers['user-agent'] ?? '').slice(0, 80),
      }, 'request')
    })
  }
}

export function requestLog(parts: { log: Logger; clock: Clock }): Middleware {
  const logRequest = createRequestLog(parts)
  return async (ctx, next) => {
    logRequest(ctx.req, ctx.res, ctx.path)
    await next()
  }
}
