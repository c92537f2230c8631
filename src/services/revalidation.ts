import type { Logger } from 'pino'
import { NOTHING_SAID, periods, type Freshness } from '../domain/freshness.ts'
import { MuslinError } from '../errors.ts'
import { createAway } from './away.ts'
import { lastOf } from './last-of.ts'
import type { Clock } from './ports.ts'
import { singleFlight } from './single-flight.ts'

/** What is known of an answer of the upstream, whatever it is. */
export interface Answered {
  /** Where it came from. */
  url: string
  fetchedAt: number
  freshness?: Freshness | undefined
  /** That the upstream knew nothing: only the upstream may say so again. */
  absent?: boolean
}

export interface Revalidation {
  /** Whether `run` would ask nobody now. */
  fresh(key: string): boolean
  /**
   * Makes what is kept as fresh as the upstream allows. Resolves at once while that may be served as it is; then with one `ask` for all
   * who wait, or without where the upstream fails or takes its time. Where nothing is kept (`look`), it rejects as `ask` does.
   */
  run<K extends Answered>(key: string, look: () => Promise<K | undefined>, ask: (kept: K | undefined) => Promise<Answered>): Promise<void>
  /** Asks in any case, and not before whoever asks already has ended: its answer may be older. */
  reload(key: string, ask: () => Promise<Answered>): Promise<void>
}

/** After a failure what is kept is left alone for so long. */
const LEFT_ALONE_MS = 5_000
/** Where something is kept the upstream is not waited for longer: what it says later is for the next who asks. */
const PATIENCE_MS = 5_000
/** Seconds for which an upstream's 404 is remembered: what was just published must soon be there. */
const ABSENT_SECONDS = 10

/** When the upstream is asked for what is kept, and who waits for it. `pageFreshness` is in seconds; `what` is for the log. */
export function createRevalidation({ clock, log, pageFreshness, offline = false, what }: {
  clock: Clock
  log: Logger
  pageFreshness: number
  offline?: boolean | undefined
  what: string
}): Revalidation {
  /** Until when each is not asked for, so that what is fresh costs no look into the database. */
  const quietUntil = lastOf<number>(50_000)
  const looking = singleFlight<void>()
  const asking = singleFlight<void>()
  const away = createAway({ clock })

  return {
    fresh: (key) => clock.now() < (quietUntil.get(key) ?? 0),
    run: (key, look, ask) => looking(key, async () => {
      const kept = await look()
      if (kept === undefined) return asked(key, () => ask(kept))
      await revalidate(key, kept, () => ask(kept))
    }),
    async reload(key, ask) {
      for (let own = false; !own;) {
        await asked(key, () => { own = true; return ask() }).catch((error: unknown) => { if (own) throw error })
      }
    },
  }

  async function revalidate(key: string, kept: Answered, ask: () => Promise<Answered>): Promise<void> {
    const now = clock.now()
    const { quiet, usable } = times(kept)
    // After a restart the memory is empty, what is kept may be young all the same.
    if (now < quiet) return void quietUntil.set(key, quiet)
    if (kept.absent) return asked(key, ask)
    if (offline) return void quietUntil.set(key, Infinity)
    const silent = away.is(kept.url)
    if (silent && !away.mayProbe(kept.url)) return void quietUntil.set(key, now + LEFT_ALONE_MS)
    const answered = asked(key, ask).catch((error: unknown) => {
      log.warn({ err: error, [what]: key, fetchedAt: kept.fetchedAt }, 'the upstream failed, what is kept is served')
      quietUntil.set(key, clock.now() + LEFT_ALONE_MS)
      if (isSilence(error)) away.note(kept.url)
    })
    if (silent || now < usable) return void quietUntil.set(key, now + LEFT_ALONE_MS)
    if (await within(PATIENCE_MS, answered)) return
    away.note(kept.url)
    quietUntil.set(key, clock.now() + LEFT_ALONE_MS)
  }

  async function asked(key: string, ask: () => Promise<Answered>): Promise<void> {
    await asking(key, async () => {
      const answer = await ask()
      away.end(answer.url)
      quietUntil.set(key, times(answer).quiet)
    })
  }

  /** When it is asked again, and until when nobody waits for that. A time of day that was set back must not make it fresh for years. */
  function times({ fetchedAt, freshness = NOTHING_SAID, absent = false }: Answered): { quiet: number; usable: number } {
    const { quiet, usable } = periods(absent ? { seconds: ABSENT_SECONDS, staleWhileRevalidate: 0 } : freshness, pageFreshness)
    const since = Math.min(fetchedAt, clock.now())
    return { quiet: since + quiet * 1000, usable: since + usable * 1000 }
  }

  /** Whether it ended in so many milliseconds. */
  async function within(ms: number, work: Promise<void>): Promise<boolean> {
    const ended = new AbortController()
    const over = clock.sleep(ms, ended.signal).then(() => false, () => true)
    return Promise.race([over, work.then(() => true)]).finally(() => ended.abort())
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof MuslinError && (error.code === 'upstream-timeout' || error.code === 'upstream-unreachable')
}
