import type { Context } from 'koa'
import { parseUserAgent } from '../domain/client.ts'

/** Whether a person looks at the answer: a browser's User-Agent that takes pages. curl and installers are none. */
export function isBrowser(ctx: Context): boolean {
  return parseUserAgent(ctx.req.headers['user-agent']).tool === 'browser' && ctx.accepts('text/plain', 'application/problem+json', 'text/html') === 'text/html'
}

/** Relative, so that it holds under any prefix. */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303
  ctx.set('Location', location)
  ctx.set('Cache-Control', 'no-store')
  ctx.body = ''
}
