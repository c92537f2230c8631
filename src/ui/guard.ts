import type { Context } from 'koa'
import { MuslinError } from '../errors.ts'
import { authOf } from './show.ts'

/**
 * Lets a form pass that changes something. Throws `token-needed` where nobody is logged in, `forged-request` where the form does not carry
 * the session's token: only a page of ours could write that into it.
 */
export function requireForm(ctx: Context, csrf: string | null | undefined): void {
  requireSession(ctx)
  if (!authOf(ctx)?.csrfOk(csrf ?? undefined)) throw new MuslinError('forged-request', 'the form does not belong to your session: open the page again, and press the button there')
}

/** Throws `token-needed` where nobody is logged in: known before the form is read. */
export function requireSession(ctx: Context): void {
  if (!authOf(ctx)?.session) throw new MuslinError('token-needed', 'you are not logged in, or no longer: log in, open the page again, and press the button there')
}

/** Sends the browser on to a page after a form (RFC 9110 section 15.4.4): `path` is from the server's root, as in `ui/jobs/7`. */
export function seeOther(ctx: Context, root: string, path: string): void {
  ctx.status = 303
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Location', `${root}${path}`)
  ctx.body = ''
}

/** Where a form wants its sender to go on: a page of ours, whatever was sent. From the server's root, as in `ui/jobs/7?state=failed`. */
export function nextPath(next: unknown, otherwise = 'ui/'): string {
  const here = 'http://here'
  const url = typeof next === 'string' ? URL.parse(next, here) : null
  return url?.origin === here && url.pathname.startsWith('/ui/') ? `${url.pathname.slice(1)}${url.search}` : otherwise
}
