import type Router from '@koa/router'
import type { Context } from 'koa'
import { rootOf } from '../layout.ts'

/** Addresses that people type, or come back to by the browser's history, and the page that they mean, from the server's root. */
const MEANT: [address: string, path: (ctx: Context) => string][] = [
  ['/ui', () => 'ui/'],
  ['/ui/logout', () => 'ui/'],
  ['/ui/prebuilds', () => 'ui/prebuild'],
  ['/ui/prebuilds/', () => 'ui/prebuild'],
  ...['prebuild', 'rebuild', 'jobs', 'projects', 'recipes', 'use', 'targets', 'login'].map((name): [string, () => string] => [`/ui/${name}/`, () => `ui/${name}`]),
  ['/ui/jobs/:id/retry', (ctx) => `ui/jobs/${ctx.params['id']}`],
  ['/ui/jobs/:id/cancel', (ctx) => `ui/jobs/${ctx.params['id']}`],
  ['/ui/jobs/:id/add-apks', (ctx) => `ui/jobs/${ctx.params['id']}`],
  ['/ui/rebuild/outdated', () => 'ui/rebuild'],
  ['/ui/rebuild/like', () => 'ui/rebuild'],
  ['/ui/recipes/:project/remove', (ctx) => `ui/recipes/${ctx.params['project']}`],
  ['/ui/projects/:project/build', (ctx) => `ui/projects/${ctx.params['project']}`],
]

/** Leads on to the page that was meant. */
export function addressRoutes(router: Router): void {
  for (const [address, path] of MEANT) router.get(address, (ctx) => { ctx.redirect(`${rootOf(ctx)}${path(ctx)}${ctx.search}`) })
}
