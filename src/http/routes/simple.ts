import type Router from '@koa/router'
import type { Context } from 'koa'
import { type Client, losesHashes } from '../../domain/client.ts'
import { projectNamed } from '../../domain/names.ts'
import type { ProjectList } from '../../services/list.ts'
import type { ProjectPages } from '../../services/pages.ts'
import { viaOf } from '../middleware/loop.ts'
import { bodyHeaders, clientOf, codingOf, formatOf, PAGE_VARY, REVALIDATE, tagOf, variantOf, type View } from '../page-ask.ts'
import { validated } from '../send.ts'

export interface SimpleDeps {
  pages: ProjectPages
  list: ProjectList
  views: View[]
}

/** The simple repository API (PEP 503, PEP 691) under each view. What is ready is answered before it comes here, by fast-pages.ts. */
export function simpleRoutes(router: Router, { views, ...deps }: SimpleDeps): void {
  for (const view of views) addView(router, view, deps)
}

function addView(router: Router, view: View, { pages, list }: Omit<SimpleDeps, 'views'>): void {
  const { path } = view
  router.get(path, (ctx) => { redirect(ctx, 'simple/') })

  router.get(`${path}/`, async (ctx) => {
    const client = clientOf(ctx.req.headers)
    audienceOf(ctx, view, client)
    for (const name of losesHashes(client) ? PAGE_VARY : PAGE_VARY.slice(0, 2)) ctx.vary(name)
    const format = formatOf(client, ctx.req.headers, formatAsked(ctx))
    const served = await list.list(format, codingOf(ctx.req.headers), viaOf(ctx))
    const held = validated(ctx, served.sha256, REVALIDATE)
    if (held || ctx.method === 'HEAD') served.body.destroy()
    if (held) return
    ctx.set(bodyHeaders(served))
    ctx.length = served.size
    if (ctx.method !== 'HEAD') ctx.body = served.body
  })

  router.get(`${path}/:project`, (ctx) => { redirect(ctx, `${projectName(ctx)}/`) })

  router.get(`${path}/:project/`, async (ctx) => {
    const project = projectName(ctx)
    const client = clientOf(ctx.req.headers)
    const audience = audienceOf(ctx, view, client)
    if (project !== ctx.params['project']) return redirect(ctx, `../${project}/`)
    for (const name of PAGE_VARY) ctx.vary(name)
    const page = await pages.page(project, variantOf(view, audience, client, ctx.req.headers, formatAsked(ctx)), viaOf(ctx))
    if (validated(ctx, tagOf(page.sha256, page.coding), REVALIDATE)) return
    ctx.set(bodyHeaders(page))
    ctx.body = page.body
  })
}

function audienceOf(ctx: Context, view: View, client: Client) {
  return view.audience(client, ctx.req.headers.host, String(ctx.params['named'] ?? ''))
}

/** PEP 503: names are normalised, other spellings redirect. */
function projectName(ctx: Context): string {
  return projectNamed(String(ctx.params['project']))
}

function formatAsked(ctx: Context): string | undefined {
  const format = ctx.query['format']
  return Array.isArray(format) ? format[0] : format
}

/** Relative, so that it holds under any prefix; temporary, because pip keeps permanent ones for good. */
function redirect(ctx: Context, location: string): void {
  ctx.status = 307
  ctx.set('Location', `${location}${ctx.search}`)
  ctx.set('Cache-Control', 'no-store')
}
