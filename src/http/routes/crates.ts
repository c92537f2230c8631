import type Router from '@koa/router'
import { indexPath } from '../../domain/crate-index.ts'
import { MuslinError } from '../../errors.ts'
import type { Crates } from '../../services/crates.ts'
import type { Links } from '../links.ts'
import { sendFile } from '../send.ts'

/**
 * The crates registry as a sparse index of cargo's kind (`sparse+http://HOST/crates/index/`), with downloads from here. Open to all, as
 * every reading is.
 */
export function crateRoutes(router: Router, { crates, links }: { crates: Crates; links: Links }): void {
  router.get('/crates/index/config.json', (ctx) => {
    const root = links.here(ctx)
    // Cargo takes no relative address; in a build it reaches this server by the fetch network alone.
    if (root === undefined) throw new MuslinError('bad-request', 'crates are served under this server\'s own names alone; name this one in the setting allowedHosts')
    ctx.set('Cache-Control', 'no-cache')
    ctx.body = { dl: `${root}/crates/dl` }
  })
  router.get('/crates/dl/:name/:version/download', async (ctx) => {
    const { name = '', version = '' } = ctx.params as Record<string, string>
    await sendFile(ctx, await crates.crate(name, version), { filename: `${name}-${version}.crate` })
  })
  router.get('/crates/index/*path', async (ctx) => {
    const { path = '' } = ctx.params as Record<string, string>
    const name = path.split('/').at(-1)!
    if (path !== indexPath(name)) throw new MuslinError('not-found', `nothing is served at ${ctx.path}; the file of a crate is at /crates/index/${indexPath(name).slice(0, 80)}`)
    await sendFile(ctx, await crates.index(name), { filename: name, cacheControl: 'no-cache' })
  })
}
