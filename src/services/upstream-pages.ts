import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { ProjectPage } from '../domain/page.ts'
import type { Clock, Store, StoredPage, Upstream } from './ports.ts'
import { recordedFiles } from './recorded-files.ts'
import { singleFlight } from './single-flight.ts'

export interface UpstreamPages {
  /**
   * Makes the kept page as fresh as the upstream allows: at once while it is fresh, else by one revalidation for all who wait.
   * An upstream that fails, or takes its time, leaves the kept page as it is; its error is thrown where there is none.
   * `via` is passed on to it.
   */
  refresh(project: string, via?: string): Promise<void>
  /** Whether `refresh` would ask nobody now. */
  fresh(project: string): boolean
  /** The kept page as it was received; undefined where the upstream knows no such project, or was never asked. */
  kept(project: string): Promise<{ json: Buffer; url: string; fetchedAt: number } | undefined>
  /** The kept page, parsed, and when it was had, milliseconds since 1970; undefined where the upstream knows no such project, or was never asked. */
  read(project: string): Promise<{ page: ProjectPage; url: string; fetchedAt: number } | undefined>
}

/** After a failure a project is left alone for so long. */
const LEFT_ALONE_MS = 5_000
/** Where there is a kept page the upstream is not waited for longer: what it says later is for the next who asks. */
const PATIENCE_MS = 5_000

/** The upstream's pages: kept for ever, asked for anew when `freshness` seconds have passed. */
export function createUpstreamPages({ store, upstream, clock, log, freshness }: {
  store: Store
  upstream: Upstream
  clock: Clock
  log: Logger
  freshness: number
}): UpstreamPages {
  /** Until when a page is not asked for again, so that a fresh page costs no look into the database. */
  const freshUntil = new LRUCache<string, number>({ max: 50_000 })
  const flight = singleFlight<void>()
  const asking = singleFlight<void>()

  return { refresh, fresh, kept, read }

  function fresh(project: string): boolean {
    const until = freshUntil.get(project)
    return until !== undefined && clock.now() < until
  }

  async function refresh(project: string, via?: string): Promise<void> {
    if (fresh(project)) return
    await flight(project, () => revalidate(project, via))
  }

  async function revalidate(project: string, via: string | undefined): Promise<void> {
    const kept = await store.pages.get(project)
    // After a restart the memory is empty, the kept page may be young all the same.
    if (kept && clock.now() < kept.fetchedAt + freshness * 1000) {
      freshUntil.set(project, kept.fetchedAt + freshness * 1000)
      return
    }
    const asked = asking(project, async () => {
      await ask(project, kept, via)
      freshUntil.set(project, clock.now() + freshness * 1000)
    })
    // That there was no such project once is no reason to say so again: only the upstream may.
    if (kept?.json === undefined) return asked
    const failed = asked.catch((error: unknown) => {
      log.warn({ err: error, project, fetchedAt: kept.fetchedAt }, 'the upstream failed, its older page is served')
      freshUntil.set(project, clock.now() + LEFT_ALONE_MS)
    })
    const inTime = await within(PATIENCE_MS, failed)
    if (!inTime) freshUntil.set(project, clock.now() + LEFT_ALONE_MS)
  }

  /** Whether it ended in so many milliseconds. */
  async function within(ms: number, work: Promise<void>): Promise<boolean> {
    const ended = new AbortController()
    const over = clock.sleep(ms, ended.signal).then(() => false, () => true)
    return Promise.race([over, work.then(() => true)]).finally(() => ended.abort())
  }

  async function ask(project: string, kept: StoredPage | undefined, via: string | undefined): Promise<void> {
    const answer = await upstream.page(project, kept?.json && kept.etag, via)
    const fetchedAt = clock.now()
    if (answer.kind === 'absent') {
      await store.pages.put({ project, json: undefined, url: kept?.url ?? '', etag: undefined, fetchedAt }, [])
    } else if (answer.kind === 'unchanged' || isSame(answer, kept)) {
      await store.pages.touch(project, fetchedAt)
    } else {
      const { json, url, etag } = answer
      await store.pages.put({ project, json, url, etag, fetchedAt }, recordedFiles(project, JSON.parse(json.toString()) as ProjectPage, url))
    }
  }

  async function kept(project: string): Promise<{ json: Buffer; url: string; fetchedAt: number } | undefined> {
    const page = await store.pages.get(project)
    return page?.json && { json: page.json, url: page.url, fetchedAt: page.fetchedAt }
  }

  async function read(project: string): Promise<{ page: ProjectPage; url: string; fetchedAt: number } | undefined> {
    const found = await kept(project)
    return found && { page: JSON.parse(found.json.toString()) as ProjectPage, url: found.url, fetchedAt: found.fetchedAt }
  }
}

/** An upstream without ETags sends the same page again and again: nothing needs to be rendered anew for that. */
function isSame(answer: { json: Buffer; url: string; etag: string | undefined }, kept: StoredPage | undefined): boolean {
  return kept?.json !== undefined && kept.url === answer.url && kept.etag === answer.etag && answer.json.equals(kept.json)
}
