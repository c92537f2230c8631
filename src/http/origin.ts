import type { Context } from 'koa'

/**
 * Where the page stands that a browser sent this request from: `own` is a page of this server, or the address line; `unknown` where
 * nothing tells, as from curl, or from a browser over plain http that names no referrer.
 */
export function originOf(ctx: Context, publicUrl: string | undefined): 'own' | 'foreign' | 'unknown' {
  const site = ctx.get('Sec-Fetch-Site')
  if (site !== '') return site === 'same-origin' || site === 'none' ? 'own' : 'foreign'
  const from = ctx.get('Origin') || ctx.get('Referer')
  if (from === '') return 'unknown'
  // A proxy may speak https to the browser and send its own Host to us: only hosts are compared, and that of publicUrl is ours.
  const host = URL.parse(from)?.host
  const own = [ctx.get('Host').toLowerCase(), ...publicUrl === undefined ? [] : [new URL(publicUrl).host]]
  return host !== undefined && own.includes(host) ? 'own' : 'foreign'
}
