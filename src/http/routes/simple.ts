import type Router from '@koa/router'
import type { Context } from 'koa'
import { type Client, losesHashes, parseUserAgent, readsMetadata, sortsYankedLast, targetOf } from '../../domain/client.ts'
import { projectNamed } from '../../domain/names.ts'
import { negotiateEncoding, negotiatePage, type PageKind } from '../../domain/negotiate.ts'
import { parseTarget } from '../../domain/target.ts'
import { MuslinError } from '../../errors.ts'
import type { ProjectList } from '../../services/list.ts'
import type { ProjectPages } from '../../services/pages.ts'
import type { ReadyTargets } from '../../services/ready-targets.ts'
import { viaOf } from '../middleware/loop.ts'
import { validated } from '../send.ts'
import { asOfDate, byViewName, type Listed, type ViewDeps } from '../view-audience.ts'

export interface SimpleDeps extends ViewDeps {
  pages: ProjectPages
  list: ProjectList
  readyTargets: ReadyTargets
  /** Names of the configured targets: their views exist before any worker is ready. */
  targets: string[]
  /** Whether the request came under a name under which no build may be started. */
  hostRefused: (ctx: Context) => boolean
}

/**
 * Who gets promises on a view (`finished`: nobody). It depends on the host too, which `Vary` does not name: the host is part of the URL
 * by which a cache keeps an answer (RFC 9110 section 12.5.5, RFC 9111 section 2).
 */
type Audience = (ctx: Context, client: Client) => Promise<Listed>

/** Pages must be asked for anew each time: what they promise may have failed or been built meanwhile. */
const REVALIDATE = 'private, max-age=0, must-revalidate'

/** The simple repository API (PEP 503, PEP 691) under each view. */
export function simpleRoutes(router: Router, deps: SimpleDeps): void {
  addView(router, '/simple', '../../', deps, byAgent(deps))
  addView(router, '/finished/simple', '../../../', deps, nobody)
  addView(router, '/target/:target/simple', '../../../../', deps, byPath(deps))
  addView(router, '/before/:date/simple', '../../../../', deps, asOfDate(deps))
  addView(router, '/view/:view/simple', '../../../../', deps, byViewName(deps, byAgent(deps)))
  addView(router, '/view/:view/finished/simple', '../../../../../', deps, byViewName(deps, nobody))
}

function addView(router: Router, path: string, root: string, { pages, list }: SimpleDeps, audience: Audience): void {
  router.get(path, (ctx) => { redirect(ctx, 'simple/') })

  router.get(`${path}/`, async (ctx) => {
    const client = clientOf(ctx)
    await audience(ctx, client)
    const format = negotiated(ctx, client)
    const served = await list.list(format, negotiateEncoding(ctx.get('Accept-Encoding')), viaOf(ctx))
    const held = validated(ctx, served.sha256, REVALIDATE)
    if (held || ctx.method === 'HEAD') served.body.destroy()
    if (held) return
    ctx.set('Content-Type', served.contentType)
    if (served.coding !== 'identity') ctx.set('Content-Encoding', served.coding)
    ctx.length = served.size
    if (ctx.method !== 'HEAD') ctx.body = served.body
  })

  router.get(`${path}/:project`, (ctx) => { redirect(ctx, `${projectName(ctx)}/`) })

  router.get(`${path}/:project/`, async (ctx) => {
    const project = projectName(ctx)
    const client = clientOf(ctx)
    const { target, asOld = false, view } = await audience(ctx, client)
    if (project !== ctx.params['project']) return redirect(ctx, `../${project}/`)
    const format = negotiated(ctx, client)
    const olderBuilds = sortsYankedLast(client) ? 'listed' : 'yanked'
    ctx.vary('User-Agent')
    const page = await pages.page(project, { root, target, format, asOld, olderBuilds, view, ...readsMetadata(client) && { metadata: 'announced' } }, viaOf(ctx))
    const gzip = negotiateEncoding(ctx.get('Accept-Encoding')) === 'gzip'
    // RFC 9110 section 8.8.3.3: a strong tag names these very bytes, so each coding has its own.
    if (validated(ctx, gzip ? `${page.sha256}-gzip` : page.sha256, REVALIDATE)) return
    ctx.set('Content-Type', page.contentType)
    if (gzip) ctx.set('Content-Encoding', 'gzip')
    ctx.body = gzip ? page.gzip : page.body
  })
}

/** Requirements of an old sdist's time may be there as wheels of ours alone, which were made today. */
async function nobody(_ctx: Context, { own }: Client): Promise<Listed> {
  return { target: undefined, asOld: own }
}

/**
 * pip and uv's installing commands on a musl target. Their locking ones, and all others, are better off without promises, and so are
 * those who come under a name under which no build may be started: they take the sdist. What else keeps a request from starting
 * builds is no matter here: installers may, and `Sec-Fetch-Site` comes from browsers alone.
 */
function byAgent({ readyTargets, hostRefused }: SimpleDeps): Audience {
  return async (ctx, client) => {
    const targets = [...(await readyTargets()).keys()].flatMap((name) => parseTarget(name) ?? [])
    const target = client.installs ? targetOf(client, targets) : undefined
    return { target: target && !hostRefused(ctx) ? target : undefined }
  }
}

function byPath({ readyTargets, targets, hostRefused }: SimpleDeps): Audience {
  return async (ctx) => {
    const name = String(ctx.params['target'])
    const target = parseTarget(name)
    if (!target || !(targets.includes(name) || (await readyTargets()).has(name))) {
      const known = targets.length > 0 ? `the targets are ${targets.join(', ')}` : 'there is none'
      throw new MuslinError('unknown-target', `${name.slice(0, 60)} is no configured target; ${known}`)
    }
    return { target: hostRefused(ctx) ? undefined : target }
  }
}

function clientOf(ctx: Context): Client {
  return parseUserAgent(ctx.req.headers['user-agent'])
}

/** PEP 503: names are normalised, other spellings redirect. */
function projectName(ctx: Context): string {
  return projectNamed(String(ctx.params['project']))
}

function negotiated(ctx: Context, client: Client): PageKind {
  ctx.vary('Accept')
  ctx.vary('Accept-Encoding')
  const format = ctx.query['format']
  const unfit = losesHashes(client) ? 'json' : undefined
  if (unfit) ctx.vary('User-Agent')
  const kind = negotiatePage(ctx.req.headers.accept, Array.isArray(format) ? format[0] : format, unfit)
  if (!kind) throw new MuslinError('not-acceptable', 'pages come as application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html or text/html')
  return kind
}

/** Relative, so that it holds under any prefix; temporary, because pip keeps permanent ones for good. */
function redirect(ctx: Context, location: string): void {
  ctx.status = 307
  ctx.set('Location', `${location}${ctx.search}`)
  ctx.set('Cache-Control', 'no-store')
}
