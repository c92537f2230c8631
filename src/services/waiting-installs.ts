import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { Client } from '../domain/client.ts'
import type { Clock } from './ports.ts'

/** A client that waits for one wheel or its METADATA: through all its redirects and 503s it is one. Times are milliseconds since 1970. */
export interface WaitingInstall {
  /** The same in every process, and after a restart. */
  id: string
  tool: Client['tool']
  version: string | undefined
  address: string
  project: string
  /** The wheel's. */
  filename: string
  job: number
  began: number
  ended: { how: InstallEnd; at: number } | undefined
}

export type InstallEnd = 'built' | 'failed' | 'cancelled' | 'refused' | 'still-building' | 'left'

/** How a hold ended, as the log names it: after `hop` and `retry` the client comes again, after `closing` to the next server. */
export type HoldEnd = 'built' | 'failed' | 'cancelled' | 'refused' | 'hop' | 'retry' | 'end' | 'gone' | 'closing'

/** What a hold is told by: `began` is known from its second URL on. */
export interface Place { path: string; address: string; began: number | undefined }
export interface HoldAbout extends Place { client: Pick<Client, 'tool' | 'version'>; job: number; project: string; filename: string; hop: number; by: '100s' | 'hops' }

export interface Hold {
  /** When its install began to wait: no other one at this address and path has the same. */
  began: number
  /** To be called now and then: says each minute that it is still held. */
  tick(): void
  end(how: HoldEnd): void
}

export interface WaitingInstalls {
  hold(about: HoldAbout): Hold
  /** A client that was sent on came back, and need not be held again. Nothing happens where it is not known. */
  answered(place: Place, how: 'built' | 'failed' | 'cancelled' | 'refused'): void
  /** Those that wait, the longest first, and then those that ended within the last minute. */
  list(): WaitingInstall[]
  /** Calls back after one came or ended; answers how to stop that. */
  watch(changed: () => void): () => void
}

/** Clients pause for eight seconds at most before they follow a 503, mostly for less, and another process may hold them for 25 meanwhile. */
const COMES_BACK_WITHIN_MS = 35_000
const ENDED_KEPT_MS = 60_000
const MOST_ENDED = 500
/** More are held and logged all the same, but neither listed nor joined. */
const MOST = 5_000

interface Going { about: HoldAbout; install: WaitingInstall; holds: number; toldMinutes: number; back: AbortController }

/** The installs that wait at this process, listed for people and told to the log: their start, each minute and their end, hops only to who wants details. */
export function createWaitingInstalls({ clock, log, closing }: { clock: Clock; log: Logger; closing: AbortSignal }): WaitingInstalls {
  const going = new Map<string, Going>()
  const over: Going[] = []
  const watchers = new Set<{ changed: () => void }>()

  return {
    hold(about) {
      const began = about.began ?? unusedBegin(about)
      const id = idOf({ ...about, began })
      const known = going.get(id)
      const one = known ?? takeBack(id) ?? begin(id, about, began)
      one.back.abort()
      one.about = about
      one.holds += 1
      say(one, known ? 'debug' : 'info', 'hold')
      return { began, tick: () => everyMinute(one), end: (how) => endHold(one, how) }
    },
    answered({ began, ...place }, how) {
      if (began === undefined) return
      const id = idOf({ ...place, began })
      const one = going.get(id) ?? takeBack(id, 'left')
      if (one?.holds === 0) finish(one, how)
    },
    list() {
      forget()
      return [...[...going.values()].toSorted((a, b) => a.install.began - b.install.began), ...over].map(({ install }) => install)
    },
    watch(changed) {
      const watcher = { changed }
      watchers.add(watcher)
      return () => { watchers.delete(watcher) }
    },
  }

  // Two that ask in the same millisecond are two.
  function unusedBegin({ path, address }: Place): number {
    let began = clock.now()
    while (going.has(idOf({ path, address, began }))) began += 1
    return began
  }

  function begin(id: string, about: HoldAbout, began: number): Going {
    const { client: { tool, version }, address, project, filename, job } = about
    const one: Going = {
      about, install: { id, tool, version, address, project, filename, job, began, ended: undefined },
      holds: 0, toldMinutes: Math.floor((clock.now() - began) / 60_000), back: new AbortController(),
    }
    if (going.size < MOST) going.set(id, one)
    changed()
    return one
  }

  /** Where several processes serve in turn, one that stayed away longer than clients do may come back all the same. */
  function takeBack(id: string, from?: InstallEnd): Going | undefined {
    const at = over.findIndex(({ install }) => install.id === id && (from === undefined || install.ended?.how === from))
    const one = over[at]
    if (!one) return undefined
    over.splice(at, 1)
    one.install = { ...one.install, ended: undefined }
    if (going.size < MOST) going.set(id, one)
    changed()
    return one
  }

  function endHold(one: Going, how: HoldEnd): void {
    one.holds -= 1
    const sentOn = how === 'hop' || how === 'retry'
    // A client that asks anew may be there before its broken connection is noticed.
    if (!sentOn && one.holds === 0) return finish(one, how)
    say(one, 'debug', 'held', how)
    everyMinute(one)
    if (!sentOn || one.holds > 0 || going.get(one.install.id) !== one) return
    one.back = new AbortController()
    clock.sleep(COMES_BACK_WITHIN_MS, AbortSignal.any([closing, one.back.signal])).then(() => finish(one, 'gone'), () => undefined)
  }

  function finish(one: Going, how: Exclude<HoldEnd, 'hop' | 'retry'>): void {
    one.back.abort()
    say(one, 'info', 'held', how)
    if (!going.delete(one.install.id)) return
    if (how !== 'closing') {
      one.install = { ...one.install, ended: { how: how === 'end' ? 'still-building' : how === 'gone' ? 'left' : how, at: clock.now() } }
      over.push(one)
    }
    forget()
    changed()
  }

  function forget(): void {
    while (over.length > MOST_ENDED || (over[0]?.install.ended?.at ?? Infinity) < clock.now() - ENDED_KEPT_MS) over.shift()
  }

  function changed(): void {
    for (const watcher of [...watchers]) watcher.changed()
  }

  function everyMinute(one: Going): void {
    const minutes = Math.floor((clock.now() - one.install.began) / 60_000)
    if (minutes > one.toldMinutes) say(one, 'info', 'still held')
    one.toldMinutes = minutes
  }

  function say({ about: { job, path, address, client, hop, by }, install }: Going, level: 'info' | 'debug', what: string, ended?: HoldEnd): void {
    const waited = Math.round((clock.now() - install.began) / 1000)
    log[level]({ job, path, client: address, tool: client.tool, version: client.version, hop, by, waited, ...ended && { ended } }, what)
  }
}

/** A digest: a promise's path is for who was shown it. */
function idOf({ path, address, began }: Place): string {
  return createHash('sha256').update(`${path}\n${address}\n${began}`).digest('base64url').slice(0, 16)
}
