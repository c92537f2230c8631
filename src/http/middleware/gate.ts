import { randomUUID } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import type { Logger } from 'pino'
import { cleanLine } from '../../domain/clean.ts'
import { reasonLine } from '../../domain/reason.ts'
import { escapeHtml } from '../../domain/render.ts'
import { ERRORS, MuslinError } from '../../errors.ts'
import { isBrowser } from '../browser.ts'

/** Headers that belong to the answer that was not given. */
const STALE = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Content-Disposition', 'ETag', 'Accept-Ranges', 'Last-Modified', 'Location']

/** The page that a browser is shown for an error, and the Content-Security-Policy that it needs. */
export type ErrorPage = (error: MuslinError, ctx: Context) => { body: string; csp: string }

/**
 * The one gate that turns errors into answers: problem+json (RFC 9457), or a small page for browsers. The reason phrase carries
 * the same line, because it is all that pip shows of a failed download.
 */
export function gate({ log, errorPage = plainPage }: { log: Logger; errorPage?: ErrorPage }): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.respond !== false && !ctx.headerSent) refuseUnanswered(ctx)
    } catch (error) {
      if (ctx.res.destroyed) return log.debug({ err: error, path: ctx.path }, 'the client left')
      const known = toMuslinError(error, ctx, log)
      if (ctx.headerSent) ctx.res.destroy(known)
      else answer(ctx, known, errorPage)
    }
  }
}

/** What the router left: no address, or an address that takes other methods (it has set `Allow`). */
function refuseUnanswered(ctx: Context): void {
  if (ctx.body !== undefined && ctx.body !== null) return
  if (ctx.status === 404) throw new MuslinError('not-found', `nothing is served at ${ctx.path}; the index is at /simple/`)
  if (ctx.status === 405 || ctx.status === 501) {
    throw new MuslinError('method-not-allowed', `${ctx.method} is not taken here; use ${ctx.response.get('Allow') || 'GET'}`)
  }
}

function toMuslinError(error: unknown, ctx: Context, log: Logger): MuslinError {
  if (error instanceof MuslinError && error.code !== 'internal') return error
  // Koa and its router throw such for malformed requests.
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  if (typeof status === 'number' && status >= 400 && status < 500) return new MuslinError('bad-request', cleanLine((error as Error).message), { cause: error })
  const id = randomUUID()
  log.error({ err: error, id, method: ctx.method, path: ctx.path }, 'a request failed by our own fault')
  return new MuslinError('internal', `the server's log tells more under ${id}`, { cause: error })
}

function answer(ctx: Context, error: MuslinError, errorPage: ErrorPage): void {
  const { title, status } = ERRORS[error.code]
  for (const name of STALE) ctx.remove(name)
  if (error.code !== 'bad-range') ctx.remove('Content-Range')
  ctx.status = status
  // HTTP/2 has no reason phrase, and in HTTP/1 whatever is no plain ASCII line would be refused by Node.
  if (ctx.req.httpVersionMajor === 1) ctx.res.statusMessage = error.detail.startsWith('Muslin: ') ? cleanLine(error.detail) : reasonLine(error.detail)
  ctx.set('Cache-Control', 'no-store')
  if (isBrowser(ctx)) {
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    const { body, csp } = errorPage(error, ctx)
    ctx.set('Content-Security-Policy', csp)
    ctx.body = body
  } else {
    // Exactly this type: uv shows title and detail only where it bears no parameters.
    ctx.set('Content-Type', 'application/problem+json')
    ctx.body = `${JSON.stringify({ title, status, detail: error.detail, code: error.code, link: error.link })}\n`
  }
}

function plainPage({ code, detail, link }: MuslinError): { body: string; csp: string } {
  const { title } = ERRORS[code]
  const more = link === undefined ? '' : `<p><a href="${escapeHtml(link)}">More</a></p>\n`
  const body = `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>\n`
    + `<body>\n<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(detail)}</p>\n${more}</body>\n</html>\n`
  return { body, csp: "default-src 'none'" }
}
