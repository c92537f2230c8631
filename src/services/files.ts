import { Transform, type Readable } from 'node:stream'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { Cache } from './cache.ts'
import { keepBlob } from './keep-blob.ts'
import { NO_POLICY, type Policy } from './policy.ts'
import type { BlobDraft, BlobStore, Store, Upstream, UpstreamFile } from './ports.ts'
import { singleFlight } from './single-flight.ts'

export interface OpenFile {
  sha256: string
  /** Bytes of the whole file, which is here then: ranges can be served. Undefined while it must be fetched. */
  size: number | undefined
  /**
   * The bytes, or those from `start` to `end`, both included (only where `size` is known), and how many they will be where that
   * is known. Rejects where not even the first byte can be had.
   */
  read(range?: { start: number; end: number }): Promise<{ body: Readable; length: number | undefined }>
}

export interface Files {
  /** A recorded file, upstream's or built. Throws `no-such-file`, and `blocked-by-policy` where it is held back; its `read` throws what the upstream's failure is. */
  open(sha256: string, filename: string): Promise<OpenFile>
  /** The `.metadata` of a recorded wheel (PEP 658). Throws `no-such-file` where the index announced none, and `blocked-by-policy` with its wheel. */
  metadata(sha256: string, filename: string): Promise<OpenFile>
  /** A blob that must be there, such as the METADATA of a promise. */
  stored(sha256: string): Promise<OpenFile>
  /** The bytes of a recorded file, complete and checked against its sha256. */
  blob(sha256: string, filename: string): Promise<Readable>
  /** The same of a file that this program itself names by its digest: no policy holds it back. */
  pinned(sha256: string, filename: string): Promise<Readable>
}

interface Flight {
  /** Resolves when there is something to send, rejects when there never will be. */
  started: Promise<{ draft: BlobDraft; size: number | undefined }>
  finished: Promise<void>
}

/** The files of every page: only recorded (sha256, filename) pairs, each fetched once and kept for ever under its digest. */
export function createFiles({ store, blobs, upstream, policy = NO_POLICY, cache, log }: {
  store: Store
  blobs: BlobStore
  upstream: Upstream
  policy?: Pick<Policy, 'check'>
  cache?: Pick<Cache, 'used'>
  log: Logger
}): Files {
  const flights = new Map<string, Flight>()
  const metadataFlight = singleFlight<string>()

  return { open, metadata, stored, blob, pinned }

  async function open(sha256: string, filename: string): Promise<OpenFile> {
    const file = await store.pages.file(sha256, filename)
    const recorded = file ?? await store.wheels.wheel(sha256, filename)
    if (!recorded) throw noSuchFile(filename)
    await policy.check(recorded)
    if (file) cache?.used(sha256)
    const known = await find(sha256)
    if (known) return known
    if (!file) throw missing(filename)
    return { sha256, size: undefined, read: () => following(fly(file)) }
  }

  async function stored(sha256: string): Promise<OpenFile> {
    const found = await find(sha256)
    if (!found) throw missing(sha256)
    return found
  }

  async function find(sha256: string): Promise<OpenFile | undefined> {
    const found = await blobs.stat(sha256)
    return found && {
      sha256,
      size: found.size,
      read: async (range) => ({ body: await blobs.read(sha256, range), length: range ? range.end - range.start + 1 : found.size }),
    }
  }

  // The fetch belongs to nobody: whoever asked first may leave, the others and the blob get their bytes.
  function fly(file: UpstreamFile): Flight {
    const running = flights.get(file.sha256)
    if (running) return running
    const started = Promise.withResolvers<{ draft: BlobDraft; size: number | undefined }>()
    const finished = fetchInto(file, started.resolve).finally(() => flights.delete(file.sha256))
    finished.catch((error: unknown) => {
      log.warn({ err: error, file: file.filename }, 'a file could not be fetched')
      started.reject(error)
    })
    started.promise.catch(() => {})
    const flight = { started: started.promise, finished }
    flights.set(file.sha256, flight)
    return flight
  }

  async function fetchInto(file: UpstreamFile, started: (flight: { draft: BlobDraft; size: number | undefined }) => void): Promise<void> {
    const { body, size } = await upstream.file(file.url)
    const draft = await openDraft(body)
    try {
      let chunks = 0
      for await (const chunk of body) {
        await draft.write(chunk as Buffer)
        // Readers are one chunk behind (see below), so the second is the first that gives them anything.
        if (++chunks === 2) started({ draft, size })
      }
      await draft.keep(file.sha256)
      started({ draft, size })
    } catch (error) {
      body.destroy()
      await draft.discard(error as Error)
      throw error
    }
  }

  async function openDraft(body: Readable): Promise<BlobDraft> {
    try {
      return await blobs.draft()
    } catch (error) {
      body.destroy()
      throw error
    }
  }

  async function following(flight: Flight): Promise<{ body: Readable; length: number | undefined }> {
    const { draft, size } = await flight.started
    return { body: withholdLast(draft.follow()), length: size }
  }

  async function blob(sha256: string, filename: string): Promise<Readable> {
    const file = await open(sha256, filename)
    return file.size === undefined ? pinned(sha256, filename) : blobs.read(sha256)
  }

  async function pinned(sha256: string, filename: string): Promise<Readable> {
    if (!await blobs.stat(sha256)) {
      const recorded = await store.pages.file(sha256, filename)
      if (!recorded) throw noSuchFile(filename)
      await fly(recorded).finished
    }
    return blobs.read(sha256)
  }

  async function metadata(sha256: string, filename: string): Promise<OpenFile> {
    const wheel = await store.wheels.wheel(sha256, filename)
    const file = wheel ? undefined : await store.pages.file(sha256, filename)
    const recorded = wheel ?? file
    if (recorded) await policy.check(recorded)
    const digest = wheel?.metadata ?? file?.metadata
    if (digest === undefined) throw noSuchFile(`${filename}.metadata`)
    const known = digest === '' ? undefined : await find(digest)
    if (known) return known
    if (!file) throw missing(`${filename}.metadata`)
    return stored(await metadataFlight(`${sha256}/${filename}`, () => fetchMetadata(file, digest)))
  }

  async function fetchMetadata(file: UpstreamFile, expected: string): Promise<string> {
    const { body } = await upstream.file(metadataUrl(file.url))
    const sha256 = await keepBlob(blobs, body, expected || undefined)
    // A page that announces metadata without a digest (PEP 714: `true`) leaves it to the first fetch what they are for ever.
    if (expected === '') await store.pages.setMetadata(file.sha256, file.filename, sha256)
    return sha256
  }
}

/**
 * Passes everything on but the last chunk, which waits for the end. A draft's follower ends only after the digest was found right, so
 * that a reader who counts bytes never holds a complete file with a wrong digest: his connection is cut before.
 */
function withholdLast(source: Readable): Readable {
  let held: Buffer | undefined
  const gate = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const ready = held
      held = chunk
      done(null, ready)
    },
    flush(done) { done(null, held) },
  })
  source.once('error', (error) => gate.destroy(error))
  gate.once('close', () => source.destroy())
  return source.pipe(gate)
}

/** PEP 658: the path of the file with `.metadata` appended; a query, such as a signature, stays where it is. */
function metadataUrl(file: string): string {
  const url = new URL(file)
  url.pathname += '.metadata'
  url.hash = ''
  return url.href
}

function missing(what: string): MuslinError {
  return new MuslinError('internal', `the bytes of ${what} are missing; restore the blob folder from a backup`)
}

function noSuchFile(filename: string): MuslinError {
  return new MuslinError('no-such-file', `${filename} was never listed under this digest; open its project's page first`)
}
