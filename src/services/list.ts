import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { createListScanner } from '../domain/list-scan.ts'
import { type Coding, CONTENT_TYPES, type PageKind } from '../domain/negotiate.ts'
import { MuslinError } from '../errors.ts'
import { keepBlob } from './keep-blob.ts'
import { createListForms } from './list-forms.ts'
import type { BlobStore, Clock, Store, StoredList, Upstream } from './ports.ts'
import { createRevalidation, type Answered } from './revalidation.ts'
import { singleFlight } from './single-flight.ts'

export interface ServedList {
  /** Of the bytes as they are sent, without quotes. */
  sha256: string
  contentType: string
  coding: Coding
  size: number
  /** Open already, so that a newer list does not take it away; who does not read it destroys it. */
  body: Readable
}

export interface ProjectList {
  /** The list of all projects. The upstream's older one is served while the upstream fails; its error is thrown where there is none. `via` is passed on to it. */
  list(format: PageKind, coding: Coding, via?: string): Promise<ServedList>
}

/** Lists are replaced minutes apart: a second try all but always finds the newer one. */
const MOST_TRIES = 3

/** The upstream's list of projects: tens of megabytes, so it lives as a blob and is streamed both ways. */
export function createProjectList({ store, blobs, upstream, clock, log, freshness, offline }: {
  store: Store
  blobs: BlobStore
  upstream: Upstream
  clock: Clock
  log: Logger
  /** The setting pageFreshness, in seconds. */
  freshness: number
  offline?: boolean
}): ProjectList {
  const flight = singleFlight<string>()
  const revalidation = createRevalidation({ clock, log, pageFreshness: freshness, offline, what: 'list' })
  const forms = createListForms({ blobs })

  return {
    async list(format, coding, via) {
      for (let tries = 1; ; tries++) {
        try {
          return await opened(format, coding, via)
        } catch (error) {
          // A newer list was recorded meanwhile, by another process maybe, and this one removed.
          if (!isGone(error)) throw error
          if (tries === MOST_TRIES) throw new MuslinError('internal', 'the list of projects is missing; restore the blob folder from a backup', { cause: error })
        }
      }
    },
  }

  async function opened(format: PageKind, coding: Coding, via: string | undefined): Promise<ServedList> {
    const json = await flight('json', () => current(via))
    const sha256 = await forms.of(json, format, coding)
    const body = await blobs.read(sha256)
    const found = await blobs.stat(sha256)
    if (found) return { sha256, contentType: CONTENT_TYPES[format], coding, size: found.size, body }
    body.destroy()
    throw new MuslinError('no-such-file', 'the list of projects was replaced while it was opened; ask again')
  }

  async function current(via: string | undefined): Promise<string> {
    const kept = await look()
    if (kept && revalidation.fresh('')) return kept.sha256
    await revalidation.run('', look, (known) => ask(known, via))
    const recorded = await store.pages.list()
    if (!recorded) throw new MuslinError('no-such-file', 'the list of projects was removed while it was looked for; ask again')
    return recorded.sha256
  }

  async function look(): Promise<(StoredList & Answered) | undefined> {
    const recorded = await store.pages.list()
    // Another process may have replaced, and removed, the very list that this one has just recorded again.
    return recorded && await blobs.stat(recorded.sha256) ? { ...recorded, url: upstream.label } : undefined
  }

  async function ask(kept: StoredList | undefined, via: string | undefined): Promise<Answered> {
    const answer = await upstream.list(kept?.validator, via)
    const fetchedAt = clock.now()
    const { label: url } = upstream
    if (answer.kind === 'unchanged') {
      if (!kept) throw new MuslinError('upstream-bad-answer', 'the upstream says of a list that was never fetched that it did not change')
      const same = { sha256: kept.sha256, validator: kept.validator, freshness: answer.freshness ?? kept.freshness, fetchedAt }
      await store.pages.putList(same)
      return { ...same, url }
    }
    const { validator, freshness } = answer
    const sha256 = await keepBlob(blobs, checked(answer.body))
    const before = await store.pages.list()
    await store.pages.putList({ sha256, validator, freshness, fetchedAt })
    // The list changes every few minutes: one that nobody will ask for again must not stay.
    if (before && before.sha256 !== sha256) await blobs.remove(before.sha256)
    return { url, fetchedAt, freshness }
  }
}

/** The same bytes; throws where they turn out to be no list, so that the older one stays. */
async function* checked(list: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const scanner = createListScanner()
  for await (const chunk of list) {
    scanner.push(chunk)
    yield chunk
  }
  scanner.end()
}

function isGone(error: unknown): boolean {
  return error instanceof MuslinError && error.code === 'no-such-file'
}
