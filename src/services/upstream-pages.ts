import type { Logger } from 'pino'
import { readJson } from '../domain/json.ts'
import type { ProjectPage } from '../domain/page.ts'
import { MuslinError } from '../errors.ts'
import type { Clock, Store, Upstream } from './ports.ts'
import { createRevalidation, type Answered } from './revalidation.ts'

export interface UpstreamPages {
  /**
   * Makes the kept page as fresh as the upstream allows: at once while it may be served as it is, else by one revalidation for all who wait.
   * An upstream that fails, or takes its time, leaves the kept page as it is; its error is thrown where there is none, `offline` where
   * nobody may be asked. `via` is passed on to it.
   */
  refresh(project: string, via?: string): Promise<void>
  /** Whether `refresh` would ask nobody now. */
  fresh(project: string): boolean
  /** The kept page as it was received; undefined where the upstream knows no such project, or was never asked. */
  kept(project: string): Promise<{ json: Buffer; url: string; fetchedAt: number } | undefined>
  /** Asks the upstream itself, past every cache in between, however fresh the kept page is. Throws what the upstream's failure is. */
  reload(project: string): Promise<void>
  /** The kept page, parsed, and when it was had, milliseconds since 1970; undefined where the upstream knows no such project, or was never asked. */
  read(project: string): Promise<{ page: ProjectPage; url: string; fetchedAt: number } | undefined>
}

type About = NonNullable<Awaited<ReturnType<Store['pages']['about']>>>

/** The upstream's pages, kept for ever. `freshness` is the setting pageFreshness, in seconds. */
export function createUpstreamPages({ store, upstream, clock, log, freshness, offline }: {
  store: Store
  upstream: Upstream
  clock: Clock
  log: Logger
  freshness: number
  offline?: boolean
}): UpstreamPages {
  const revalidation = createRevalidation({ clock, log, pageFreshness: freshness, offline, what: 'project' })

  return {
    async refresh(project, via) {
      if (!revalidation.fresh(project)) await revalidation.run(project, () => store.pages.about(project), (kept) => ask(project, kept, { via }))
    },
    fresh: revalidation.fresh,
    reload: (project) => revalidation.reload(project, async () => ask(project, await store.pages.about(project), { reload: true })),
    kept,
    async read(project) {
      const found = await kept(project)
      return found && { page: readJson(found.json.toString()) as ProjectPage, url: found.url, fetchedAt: found.fetchedAt }
    },
  }

  async function kept(project: string): Promise<{ json: Buffer; url: string; fetchedAt: number } | undefined> {
    const page = await store.pages.get(project)
    return page?.json && { json: page.json, url: page.url, fetchedAt: page.fetchedAt }
  }

  async function ask(project: string, kept: About | undefined, { via, reload = false }: { via?: string | undefined; reload?: boolean }): Promise<Answered> {
    const answer = await upstream.page(project, kept?.absent === false ? kept.validator : undefined, via, reload)
    const fetchedAt = clock.now()
    if (answer.kind === 'absent') {
      const absent = { project, json: undefined, url: kept?.url ?? '', validator: undefined, fetchedAt }
      await store.pages.put(absent, [])
      return { ...absent, absent: true }
    }
    // RFC 9111 section 4.3.4: what a 304 does not say anew stays.
    const freshness = answer.freshness ?? (answer.kind === 'unchanged' ? kept?.freshness : undefined)
    if (kept && (answer.kind === 'unchanged' || await isSame(answer, kept))) {
      await store.pages.touch(project, fetchedAt, freshness)
      return { url: kept.url, fetchedAt, freshness }
    }
    if (answer.kind === 'unchanged') throw new MuslinError('upstream-bad-answer', `the upstream says of ${project}, which was never fetched, that it did not change`)
    const { json, files, url, validator, sourceOf } = answer
    await store.pages.put({ project, json, url, validator, freshness, fetchedAt }, files.map((file) => ({ ...file, project, source: sourceOf?.(file.filename) })))
    return { url, fetchedAt, freshness }
  }

  /** An upstream without validators sends the same page again and again: nothing needs to be rendered anew for that. */
  async function isSame(answer: { json: Buffer; url: string; validator: string | undefined }, kept: About): Promise<boolean> {
    if (kept.absent || kept.url !== answer.url || kept.validator !== answer.validator) return false
    return (await store.pages.get(kept.project))?.json?.equals(answer.json) === true
  }
}
