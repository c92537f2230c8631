import type Router from '@koa/router'
import { isBrowser, seeOther } from '../browser.ts'
import type { Links } from '../links.ts'

/** The root tells people what to point their installer at; browsers are sent to the pages. */
export function homeRoutes(router: Router, { links }: { links: Links }): void {
  router.get('/', (ctx) => {
    ctx.vary('Accept')
    ctx.vary('User-Agent')
    if (isBrowser(ctx)) return seeOther(ctx, 'ui/')
    const index = `${links.root(ctx) ?? ''}/simple/`
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    ctx.set('Cache-Control', 'no-store')
    ctx.body = `This is Muslin, a Python package index for Alpine Linux.\n\nIts index is at ${index}\n\n  pip install -i ${index} PROJECT\n`
  })
}
