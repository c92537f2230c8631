import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { lacksMetadata, mergePage } from '../domain/merge.ts'
import { CONTENT_TYPES, type PageKind } from '../domain/negotiate.ts'
import type { ProjectPage } from '../domain/page.ts'
import { renderHtml } from '../domain/render.ts'
import type { Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { PageView, Policy } from './policy.ts'
import type { Clock, Store } from './ports.ts'
import type { PromiseBook } from './promises.ts'
import type { ReadyTargets } from './ready-targets.ts'
import { singleFlight } from './single-flight.ts'
import type { UpstreamPages } from './upstream-pages.ts'

const gzip = promisify(gzipCallback)

export interface PageVariant {
  /** The way from the page up to the server's root: `../../`. All URLs on a page are relative, so that they hold under any prefix. */
  root: string
  /** Whose promises are listed; undefined for none. */
  target: Target | undefined
  format: PageKind
  /** Wheels of ours are as old as their sdists. */
  asOld?: boolean
  /** Whether wheels that newer builds of ours replaced are yanked (the default). */
  olderBuilds?: 'yanked' | 'listed'
  /** Wheels of the upstream that lack METADATA are announced to have it. */
  metadata?: 'announced'
  /** What it leaves out beside what the server does. */
  view?: PageView | undefined
}

export interface RenderedPage {
  body: Buffer
  gzip: Buffer
  /** Of `body`, without quotes. */
  sha256: string
  contentType: string
  /** When it is to be made anew, whatever else changes: milliseconds since 1970, Infinity: never. */
  until: number
}

export interface ProjectPages {
  /**
   * The page of a project by its normalised name. Throws `no-such-project` where neither the upstream nor a build has any file
   * of it, the upstream's own error where that cannot be known, and `blocked-by-policy` where all of it is held back for good. `via` is passed on to it.
   */
  page(project: string, variant: PageVariant, via?: string): Promise<RenderedPage>
}

/** Pages as they are served: merged from the upstream's, the built wheels and the promises; rendered once for each change and variant. */
export function createProjectPages({ store, upstreamPages, policy, promises, readyTargets, clock, publicUrl, cacheBytes = 64 * 1024 * 1024 }: {
  store: Store
  /** All that the upstream lists: what of it is served is decided here. */
  upstreamPages: UpstreamPages
  policy: Policy
  promises: PromiseBook
  readyTargets: ReadyTargets
  clock: Pick<Clock, 'now'>
  /** Where this server is for others, without credentials and without a slash at the end. */
  publicUrl?: string | undefined
  cacheBytes?: number
}): ProjectPages {
  const cache = new LRUCache<string, RenderedPage>({
    maxSize: cacheBytes,
    sizeCalculation: (page) => page.body.length + page.gzip.length,
  })
  const rendering = singleFlight<RenderedPage>()
  const rebuilt = new LRUCache<string, boolean>({ max: 10_000 })
  /** Whether a page has wheels without METADATA, by project and generation: all others are the same for everybody. */
  const lacking = new LRUCache<string, boolean>({ max: 50_000 })

  return {
    async page(project, variant, via) {
      policy.admit(project, variant.view)
      const failure = await upstreamPages.refresh(project, via).then(() => undefined, (error: unknown) => ({ error }))
      const image = variant.target && (await readyTargets()).get(variant.target.name)
      // The generation is read before the page is made: what changes in between is rendered again, never missed.
      const generation = await store.generation(project)
      // Who sorts yanked files last shares all other pages.
      const olderBuilds = variant.olderBuilds === 'listed' && await hasRebuilt(project, generation) ? 'listed' : 'yanked'
      const keyOf = (announced: boolean) => JSON.stringify([project, generation, variant.root, image && variant.target?.name, image, variant.format, variant.asOld === true, olderBuilds, variant.view?.key, announced])
      const made = `${project} ${generation}`
      const announced = variant.metadata === 'announced' && lacking.get(made) !== false
      const cached = cache.get(keyOf(announced))
      return cached && clock.now() < cached.until ? cached : rendering(keyOf(announced), async () => {
        const { page, lacks } = await render(project, { ...variant, olderBuilds }, image, failure)
        lacking.set(made, lacks)
        cache.set(keyOf(announced && lacks), page)
        return page
      })
    },
  }

  /** Whether a newer build of ours replaced another one. */
  async function hasRebuilt(project: string, generation: number): Promise<boolean> {
    const key = `${project} ${generation}`
    const known = rebuilt.get(key)
    if (known !== undefined) return known
    const wheels = await store.wheels.wheels(project)
    const found = new Set(wheels.map(({ sdist, target }) => `${sdist} ${target}`)).size < wheels.length
    rebuilt.set(key, found)
    return found
  }

  async function render(project: string, variant: PageVariant, image: string | undefined, failure: { error: unknown } | undefined): Promise<{ page: RenderedPage; lacks: boolean }> {
    const kept = await upstreamPages.read(project)
    const had = await store.wheels.wheels(project)
    if (!kept && had.length === 0) {
      if (failure) throw failure.error
      throw new MuslinError('no-such-project', `neither the upstream nor a build has a file of ${project}; check the name`)
    }
    const { page, wheels, until } = await policy.permitted(project, { page: kept?.page, wheels: had }, variant.view)
    const listed = page && variant.target && image !== undefined ? await promises.list(page, project, variant.target, image, wheels) : []
    const { root, asOld = false, olderBuilds = 'yanked' } = variant
    const announce = variant.metadata && { unreadable: new Set(await store.pages.unreadable(project)) }
    const merged = mergePage({
      page, project, pageUrl: kept?.url ?? '', wheels, promises: listed, root, asOld, olderBuilds, announce,
      provenanceRoot: publicUrl === undefined ? undefined : `${publicUrl}/`,
    })
    return { page: await finish(write(merged, variant.format), CONTENT_TYPES[variant.format], until), lacks: kept?.page.files.some(lacksMetadata) ?? false }
  }
}

function write(page: ProjectPage, format: PageKind): string {
  return format === 'json' ? JSON.stringify(page) : renderHtml(page)
}

async function finish(text: string, contentType: string, until: number): Promise<RenderedPage> {
  const body = Buffer.from(text)
  return { body, gzip: await gzip(body), sha256: createHash('sha256').update(body).digest('hex'), contentType, until }
}
