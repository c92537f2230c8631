import { LRUCache } from 'lru-cache'
import { CONTENT_TYPES, type Coding, type PageKind } from '../domain/negotiate.ts'
import type { Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import { lastOf } from './last-of.ts'
import type { PageMaker } from './page-maker.ts'
import type { PageView, Policy } from './policy.ts'
import type { Clock, Store } from './ports.ts'
import type { PromiseBook } from './promises.ts'
import type { TargetsNow } from './ready-targets.ts'
import { singleFlight } from './single-flight.ts'
import type { UpstreamPages } from './upstream-pages.ts'

export interface PageVariant {
  /** The way from the page up to the server's root: `../../`. All URLs on a page are relative, so that they hold under any prefix. */
  root: string
  /** Whose promises are listed; undefined for none. */
  target: Target | undefined
  format: PageKind
  coding: Coding
  /** Wheels of ours are as old as their sdists. */
  asOld?: boolean
  /** Whether wheels that newer builds of ours replaced are yanked (the default). */
  olderBuilds?: 'yanked' | 'listed'
  /** What it leaves out beside what the server does. */
  view?: PageView | undefined
  /** `announced`: wheels of the upstream that lack METADATA are announced to have it. `withheld`: HTML does not use the older name for it. */
  metadata?: 'announced' | 'withheld' | undefined
}

/** A page as it is sent; one object until the page changes. */
export interface RenderedPage {
  /** In its coding. */
  body: Buffer
  coding: Coding
  /** Of the page before it was encoded, without quotes. */
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
  /** What `page` would give, where that needs no waiting: the upstream need not be asked, and the page was rendered since its last change. */
  ready(project: string, variant: PageVariant): RenderedPage | undefined
}

/** Pages as they are served: merged from the upstream's, the built wheels and the promises; made once for each change and variant. */
export function createProjectPages({ store, upstreamPages, policy, promises, targetsNow, maker, clock, publicUrl, cacheBytes }: {
  store: Store
  /** All that the upstream lists: what of it is served is decided here. */
  upstreamPages: UpstreamPages
  policy: Policy
  promises: PromiseBook
  targetsNow: Pick<TargetsNow, 'promised'>
  maker: Pick<PageMaker, 'make'>
  clock: Pick<Clock, 'now'>
  /** Where this server is for others, without credentials and without a slash at the end. */
  publicUrl?: string | undefined
  /** How many bytes of pages are kept in memory. */
  cacheBytes: number
}): ProjectPages {
  const { glance } = store
  // One of an older generation gives its place to the next: it is never asked for again.
  const cache = new LRUCache<string, { generation: number; page: RenderedPage }>({ maxSize: cacheBytes, sizeCalculation: ({ page }) => page.body.length + OVERHEAD })
  const rendering = singleFlight<RenderedPage>()
  /** Whether a page has wheels without METADATA, by project and generation: all others are the same for everybody. */
  const lacking = lastOf<boolean>(50_000)

  return {
    async page(project, variant, via) {
      policy.admit(project, variant.view)
      const failure = await upstreamPages.refresh(project, via).then(() => undefined, (error: unknown) => ({ error }))
      // The generation is read before the page is made: what changes in between is rendered again, never missed.
      const { keyOf, announced, generation, image, olderBuilds } = place(project, variant)
      const key = keyOf(announced)
      return keptOf(key, generation) ?? rendering(`${generation} ${key}`, async () => {
        const { page, lacks } = await render(project, { ...variant, olderBuilds }, image, failure)
        lacking.set(`${project} ${generation}`, lacks)
        cache.set(keyOf(announced && lacks), { generation, page })
        return page
      })
    },
    ready(project, variant) {
      if (!upstreamPages.fresh(project)) return undefined
      const { keyOf, announced, generation } = place(project, variant)
      // What the rules refuse was never made.
      return keptOf(keyOf(announced), generation)
    },
  }

  function keptOf(key: string, generation: number): RenderedPage | undefined {
    const kept = cache.get(key)
    return kept?.generation === generation && clock.now() < kept.page.until ? kept.page : undefined
  }

  /** Under which key the page of today is kept, and what it is made from. */
  function place(project: string, { root, target, format, coding, asOld = false, olderBuilds = 'yanked', view, metadata }: PageVariant) {
    const generation = glance.generation(project)
    const image = target && targetsNow.promised().get(target.name)
    // Who sorts yanked files last shares all other pages.
    const listed = olderBuilds === 'listed' && glance.rebuilt(project)
    const announced = metadata === 'announced' && lacking.get(`${project} ${generation}`) !== false
    const keyOf = (announcing: boolean) => `${project} ${root} ${format} ${coding} ${asOld} ${listed} ${announcing} ${metadata === 'withheld'} ${image === undefined ? '' : `${target?.name} ${image}`} ${view?.key ?? ''}`
    return { keyOf, announced, generation, image, olderBuilds: listed ? 'listed' : 'yanked' } as const
  }

  async function render(project: string, variant: PageVariant, image: string | undefined, failure: { error: unknown } | undefined): Promise<{ page: RenderedPage; lacks: boolean }> {
    const kept = await upstreamPages.kept(project)
    const wheels = await store.wheels.wheels(project)
    if (!kept && wheels.length === 0) {
      if (failure) throw failure.error
      throw new MuslinError('no-such-project', `neither the upstream nor a build has a file of ${project}; check the name`)
    }
    const { root, target, format, coding, asOld = false, olderBuilds = 'yanked' } = variant
    const { body, sha256, until, lacks } = await maker.make({
      project, json: kept?.json, pageUrl: kept?.url ?? '', wheels, root, format, coding, asOld, olderBuilds,
      policy: await policy.terms(project, variant.view),
      promises: kept && target && image !== undefined ? await promises.terms(project, target, image) : undefined,
      announce: variant.metadata === 'announced' ? { unreadable: new Set(await store.pages.unreadable(project)) } : undefined,
      olderMetadata: variant.metadata !== 'withheld',
      provenanceRoot: publicUrl === undefined ? undefined : `${publicUrl}/`,
    })
    return { page: { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), coding, sha256, contentType: CONTENT_TYPES[format], until }, lacks }
  }
}

/** What a page takes besides its bytes, so that many small ones are bounded too. */
const OVERHEAD = 1024
