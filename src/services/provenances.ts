import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { sha256Of } from '../domain/digest.ts'
import type { ProjectPage } from '../domain/page.ts'
import { MuslinError } from '../errors.ts'
import { keepBlob } from './keep-blob.ts'
import { keptPresent } from './kept-present.ts'
import type { BlobStore, Clock, Store, Upstream, UpstreamFile } from './ports.ts'
import { singleFlight } from './single-flight.ts'
import { upTo } from './up-to.ts'

/** Real ones have some ten kilobytes. */
const LARGEST_BYTES = 4 * 1024 * 1024
/** A file may be attested by more people later. */
const FRESH_MS = 24 * 60 * 60 * 1000

/** Who vouches for the upstream's files (PEP 740): fetched when it is asked for, and kept for when the upstream is gone. */
export interface Provenances {
  /** sha256 of the blob. Throws `no-such-file` where the file's page names none, and what the upstream's failure is where none was kept. */
  of(file: UpstreamFile): Promise<string>
}

export function createProvenances({ store, blobs, upstream, clock, log }: {
  store: Store
  blobs: BlobStore
  upstream: Upstream
  clock: Clock
  log: Logger
}): Provenances {
  const flight = singleFlight<string>()

  return {
    of(file) {
      const path = `provenance/${file.project}/${file.sha256}/${file.filename}`
      return flight(path, () => current(file, path))
    },
  }

  async function current(file: UpstreamFile, path: string): Promise<string> {
    const kept = await keptPresent({ kept: store.kept, blobs }, path)
    if (kept && clock.now() < kept.fetchedAt + FRESH_MS) return kept.sha256
    try {
      return await fetch(file, path)
    } catch (error) {
      if (!kept) throw error
      log.warn({ err: error, file: file.filename }, 'the upstream failed, an older provenance is served')
      return kept.sha256
    }
  }

  async function fetch(file: UpstreamFile, path: string): Promise<string> {
    const { body } = await upstream.file(await urlOf(file), { source: file.source })
    const json = await wholeJson(body, file.filename)
    const sha256 = await keepBlob(blobs, [json])
    await store.kept.put({ path, sha256, size: json.length, etag: undefined, fetchedAt: clock.now() })
    return sha256
  }

  /** Looked up in the page, since few ever ask: a file of an older page alone has none. */
  async function urlOf(file: UpstreamFile): Promise<string> {
    const kept = await store.pages.get(file.project)
    const page = kept?.json && JSON.parse(kept.json.toString()) as ProjectPage
    const listed = page?.files.find((entry) => entry.filename === file.filename && sha256Of(entry) === file.sha256)
    const url = typeof listed?.['provenance'] === 'string' ? URL.parse(listed['provenance'], kept?.url)?.href : undefined
    if (url === undefined) throw new MuslinError('no-such-file', `the page of ${file.project} names no provenance of ${file.filename}`)
    return url
  }
}

async function wholeJson(body: AsyncIterable<Buffer>, filename: string): Promise<Buffer> {
  const tooLarge = () => new MuslinError('upstream-bad-answer', `the provenance of ${filename} is larger than ${LARGEST_BYTES} bytes`)
  const json = await buffer(upTo(LARGEST_BYTES, body, tooLarge))
  try {
    JSON.parse(json.toString())
  } catch (error) {
    throw new MuslinError('upstream-bad-answer', `the provenance of ${filename} is no JSON; nothing of it was kept`, { cause: error })
  }
  return json
}
