import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { lastOf } from './last-of.ts'
import type { BlobStore, CachedFile, Clock, Store } from './ports.ts'

/** A write to disk for each file would slow down what is noted. */
const WRITE_MS = 2_000
/** What is asked for all the time is noted so often. */
const SAME_MS = 10 * 60 * 1000
const REMEMBERED = 10_000
/** Of a database that takes nothing for long, the rest goes unnoted. */
const MOST = 100_000
/** Down to this share of the limit, so that not each fetch has something to take away. */
const LOW_WATER = 0.9
/** After so long it is looked anew what cannot go, which takes a look at every file. */
const LOOK_MS = 10 * 60 * 1000
const AT_ONCE = 100

export interface Trimmed { files: number; bytes: number }

export interface Cache {
  /** The blobs, with each that is kept noted. */
  readonly blobs: BlobStore
  /** A file is asked for. Costs nothing: it is written later. */
  used(sha256: string): void
  /** Takes upstream files away until they fit into the limit; returns what went, or with `dryRun` what would. */
  trim(options?: { dryRun?: boolean }): Promise<Trimmed>
  /** Counts everything that is stored. */
  count(): Promise<void>
  /** Writes what was noted until now, and keeps the limit. Never throws. */
  flush(): Promise<void>
}

/**
 * Which upstream files are stored, by their last use, and the limit on their bytes (undefined: none). What may go is an upstream's file
 * that nothing else needs, and that its page still offers: it is fetched again when it is asked for.
 */
export function createCache({ store, blobs, limit, clock, log }: {
  store: Pick<Store, 'cache' | 'pages'>
  blobs: BlobStore
  limit: number | undefined
  clock: Clock
  log: Logger
}): Cache & { start(upstream: string): Promise<void>; close(): Promise<void> } {
  const { cache } = store
  const closing = new AbortController()
  const lately = lastOf<number>(REMEMBERED)
  const pending = new Map<string, { size: number | undefined; at: number }>()
  let soon: Promise<void> | undefined
  let working: Promise<unknown> = Promise.resolve()
  /** Bytes that could not go when it was looked last, and when that was. */
  let firm: { bytes: number; at: number } | undefined

  return { blobs: { ...blobs, draft }, used, trim, count, flush, start, close }

  async function draft(): ReturnType<BlobStore['draft']> {
    const made = await blobs.draft()
    return {
      ...made,
      async keep(expected) {
        const kept = await made.keep(expected)
        put(kept.sha256, kept.size)
        return kept
      },
    }
  }

  function used(sha256: string): void {
    const last = lately.get(sha256)
    const now = clock.now()
    if (last === undefined || now - last >= SAME_MS) put(sha256, undefined)
  }

  function put(sha256: string, size: number | undefined): void {
    if (pending.size >= MOST || closing.signal.aborted) return
    const at = clock.now()
    lately.set(sha256, at)
    pending.set(sha256, { size: size ?? pending.get(sha256)?.size, at })
    soon ??= later()
  }

  async function later(): Promise<void> {
    await clock.sleep(WRITE_MS, closing.signal).catch(() => undefined)
    soon = undefined
    await flush()
  }

  function flush(): Promise<void> {
    return inTurn(async () => {
      try {
        await write()
        if (limit !== undefined && !closing.signal.aborted) await keepLimit(limit)
      } catch (error) {
        log.warn({ err: error }, 'the use of files could not be noted')
        if (!closing.signal.aborted) soon ??= later()
      }
    })
  }

  async function write(): Promise<void> {
    const uses = [...pending].map(([sha256, use]) => ({ sha256, ...use }))
    for (let from = 0; from < uses.length; from += AT_ONCE * 5) {
      const batch = uses.slice(from, from + AT_ONCE * 5)
      await cache.note(batch)
      for (const { sha256, at } of batch) if (pending.get(sha256)?.at === at) pending.delete(sha256)
      await setImmediate()
    }
  }

  async function keepLimit(most: number): Promise<void> {
    const { bytes } = await cache.total()
    const known = firm && clock.now() - firm.at < LOOK_MS ? firm.bytes : 0
    if (bytes - known <= most) return
    const gone = await takeAway(most, false)
    if (gone.files > 0) log.info({ ...gone, limit: most }, 'files of the upstream made room that were not used for longest')
  }

  function trim({ dryRun = false } = {}): Promise<Trimmed> {
    return inTurn(async () => {
      await write()
      if (limit === undefined || (await cache.total()).bytes <= limit) return { files: 0, bytes: 0 }
      return takeAway(limit, dryRun)
    })
  }

  async function takeAway(most: number, dryRun: boolean): Promise<Trimmed> {
    const { since } = await cache.state()
    const { bytes } = await cache.total()
    let staying = await cache.held()
    const gone = { files: 0, bytes: 0 }
    const fits = (): boolean => bytes - staying - gone.bytes <= most * (gone.files === 0 ? 1 : LOW_WATER)
    for (let after: CachedFile | undefined; !fits();) {
      const batch = await cache.oldest(AT_ONCE, after)
      for (const file of batch) {
        if (fits()) break
        if (pending.has(file.sha256)) continue
        if (!await canComeBack(file, since)) staying += file.size
        else {
          if (!dryRun) await takeOne(file)
          gone.files += 1
          gone.bytes += file.size
        }
      }
      after = batch.at(-1)
      if (batch.length < AT_ONCE) break
      await setImmediate()
    }
    firm = { bytes: staying, at: clock.now() }
    return gone
  }

  /** The bytes first: a row without them is forgotten the next time, and bytes without a row would stay for ever. */
  async function takeOne({ sha256, usedAt }: CachedFile): Promise<void> {
    await blobs.remove(sha256)
    await cache.forget(sha256, usedAt)
    lately.delete(sha256)
  }

  /** The pages of all whose file it is name it, as the upstream that is configured now has them. */
  async function canComeBack({ sha256, projects }: CachedFile, since: number): Promise<boolean> {
    for (const project of projects) {
      const page = await store.pages.get(project)
      if (!page?.json?.includes(sha256) || page.fetchedAt < since) return false
    }
    return projects.length > 0
  }

  function count(): Promise<void> {
    return inTurn(async () => {
      const began = clock.now()
      await write()
      await cache.count(unlessClosing(blobs.list()), began)
    })
  }

  /** Half of what is stored must not be taken for all of it. */
  async function* unlessClosing<T>(all: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const one of all) {
      closing.signal.throwIfAborted()
      yield one
    }
  }

  /** Of an upstream that is another than before nothing is known to come back until it has said so. */
  async function start(upstream: string): Promise<void> {
    const state = await cache.state()
    if (state.upstream !== upstream) await cache.setUpstream(upstream, state.upstream === undefined ? 0 : clock.now())
    if (!state.counted) void count().then(flush, (error: unknown) => { if (!closing.signal.aborted) log.warn({ err: error }, 'the stored files could not be counted') })
    else if (limit !== undefined) soon ??= later()
  }

  async function close(): Promise<void> {
    closing.abort()
    await flush()
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = working.then(work)
    working = done.catch(() => undefined)
    return done
  }
}
