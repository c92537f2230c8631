import type { Context } from 'koa'

/** What our pages may load and do: only what this server gives. No style or script stands in a page itself. */
export const CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The headers of every page. Pages show who is logged in and what runs: they are kept nowhere. */
export function guardPage(ctx: Context): void {
  ctx.set('Content-Security-Policy', CSP)
  ctx.set('X-Frame-Options', 'DENY')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'same-origin')
  ctx.set('Cache-Control', 'no-store')
}
