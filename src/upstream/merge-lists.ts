import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { briefest } from '../domain/freshness.ts'
import { isValidName, normalizeName } from '../domain/names.ts'
import { MuslinError } from '../errors.ts'
import type { Upstream, UpstreamList } from '../services/ports.ts'
import { badList, projectEntries } from './project-entries.ts'
import { readStamp, sameTexts, writeStamp } from './stamp.ts'

interface Listing {
  name: string
  upstream: Pick<Upstream, 'list' | 'label'>
  /** Whether this upstream is asked for a normalised name at all. */
  lists(project: string): boolean
}

type Found = { listing: Listing; answer: UpstreamList }

/**
 * The projects of several upstreams in one list, each name once. An upstream that has no list, as some have none, is passed over; one that cannot be reached makes it
 * fail, since its names would be gone from the list.
 */
export async function mergeLists(listings: Listing[], { validator: given, via, log }: { validator: string | undefined; via: string | undefined; log: Logger }): Promise<UpstreamList> {
  const kept = readStamp(given)
  const found: Found[] = []
  for (const listing of listings) {
    const answer = await listOf(listing, kept?.from.get(listing.name))
    if (answer) found.push({ listing, answer })
  }
  const absent = listings.filter((listing) => !found.some((each) => each.listing === listing)).map(({ name }) => name)
  if (kept && found.length === kept.from.size && found.every(({ answer }) => answer.kind === 'unchanged') && sameTexts(kept.absent, absent)) {
    return { kind: 'unchanged', freshness: briefest(found.map(({ answer }) => answer.freshness)) }
  }
  for (const each of found) {
    if (each.answer.kind === 'unchanged') each.answer = await listOf(each.listing, undefined) ?? each.answer
  }
  const lists = found.flatMap(({ listing, answer }) => answer.kind === 'list' ? [{ ...answer, listing }] : [])
  if (lists.length === 0) throw new MuslinError('upstream-refused', 'none of the upstreams has a list of projects')
  const body = Readable.from(merged(lists), { objectMode: false })
  body.once('close', () => { for (const list of lists) list.body.destroy() })
  return {
    kind: 'list', body, freshness: briefest(lists.map(({ freshness }) => freshness)),
    validator: writeStamp({ from: new Map(lists.map(({ listing, validator }) => [listing.name, validator])), absent }),
  }

  async function listOf({ upstream }: Listing, validator: string | undefined): Promise<UpstreamList | undefined> {
    try {
      return await upstream.list(validator, via)
    } catch (error) {
      if (!(error instanceof MuslinError) || (error.code !== 'upstream-refused' && error.code !== 'upstream-bad-answer')) throw error
      log.warn({ err: error, upstream: upstream.label }, 'an upstream has no list of projects')
      return undefined
    }
  }
}

/** The list of the one upstream that there is, as it is. */
export async function onlyList({ name, upstream }: Omit<Listing, 'lists'>, { validator, via }: { validator: string | undefined; via: string | undefined }): Promise<UpstreamList> {
  const answer = await upstream.list(readStamp(validator)?.from.get(name), via)
  return answer.kind === 'unchanged' ? answer : { ...answer, validator: writeStamp({ from: new Map([[name, answer.validator]]), absent: [] }) }
}

async function* merged(lists: { body: Readable; listing: Listing }[]): AsyncGenerator<Buffer> {
  const seen = new Set<string>()
  let before = '{"meta":{"api-version":"1.0"},"projects":['
  for (const [at, { body, listing }] of lists.entries()) {
    for await (const entries of projectEntries(body)) {
      let json = ''
      for (const entry of entries) {
        const project = projectOf(entry)
        if (project === undefined || seen.has(project) || !listing.lists(project)) continue
        // After the last list nobody asks any more.
        if (at < lists.length - 1) seen.add(project)
        json += before + entry
        before = ','
      }
      if (json !== '') yield Buffer.from(json)
    }
  }
  yield Buffer.from(before === ',' ? ']}' : `${before}]}`)
}

/** Undefined for what is no name. */
function projectOf(entry: string): string | undefined {
  let name: unknown
  try {
    ({ name } = JSON.parse(entry) as { name?: unknown })
  } catch {
    throw badList()
  }
  return typeof name === 'string' && isValidName(name) ? normalizeName(name) : undefined
}
