import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { parseWheelFilename } from '../domain/filename.ts'
import { MuslinError } from '../errors.ts'
import type { Cache } from './cache.ts'
import { coldFile } from './cold-file.ts'
import { keepBlob } from './keep-blob.ts'
import { lastOf } from './last-of.ts'
import { createMadeMetadata } from './made-metadata.ts'
import type { OpenFile } from './open-file.ts'
import { NO_POLICY, type Policy } from './policy.ts'
import type { BlobStore, Clock, Store, Upstream, UpstreamFile } from './ports.ts'
import { createProvenances } from './provenances.ts'
import { singleFlight } from './single-flight.ts'
import { timeLimit } from './time-limit.ts'
import { beginTransfer, type Transfer } from './transfer.ts'
import { upTo } from './up-to.ts'

export type { OpenFile } from './open-file.ts'

export interface Files {
  /** A recorded file, upstream's or built. Throws `no-such-file`, and `blocked-by-policy` where it is held back; its `read` throws what the upstream's failure is. */
  open(sha256: string, filename: string): Promise<OpenFile>
  /** The `.metadata` of a recorded wheel (PEP 658), whether or not its page announces it. Throws `no-such-file` where none can be had, and `blocked-by-policy` with its wheel. */
  metadata(sha256: string, filename: string): Promise<OpenFile>
  /** The provenance of a recorded file (PEP 740), as JSON. Throws `no-such-file` where its page names none. */
  provenance(sha256: string, filename: string): Promise<OpenFile>
  /** A blob that must be there, such as the METADATA of a promise. */
  stored(sha256: string): Promise<OpenFile>
  /** The bytes of a recorded file, complete and checked against its sha256. */
  blob(sha256: string, filename: string): Promise<Readable>
  /** The same of a file that this program itself names by its digest: no policy holds it back. */
  pinned(sha256: string, filename: string): Promise<Readable>
  /** Gives up what is on its way. */
  close(): Promise<void>
}

/** The longest README of a release has less than a tenth of it. */
const LARGEST_METADATA = 16 * 1024 * 1024
const METADATA_MS = 60_000
/** Sizes that pages do not tell. */
const REMEMBERED = 10_000

/** Files up to here are read in one go, by whom they are opened. */
const SMALL_BYTES = 128 * 1024

/** The files of every page: only recorded (sha256, filename) pairs, each fetched once and kept for ever under its digest. */
export function createFiles({ store, blobs, upstream, policy = NO_POLICY, cache, clock, log }: {
  store: Store
  blobs: BlobStore
  upstream: Upstream
  policy?: Pick<Policy, 'check'>
  cache?: Pick<Cache, 'used'>
  clock: Clock
  log: Logger
}): Files {
  const transfers = new Map<string, Transfer>()
  const sizes = lastOf<number>(REMEMBERED)
  const metadataFlight = singleFlight<string>()
  const closing = new AbortController()
  const made = createMadeMetadata({ store, blobs, upstream, clock, log, closing: closing.signal, whole: async (file) => { await fly(file).finished } })
  const provenances = createProvenances({ store, blobs, upstream, clock, log })

  return {
    open, metadata, stored, blob, pinned,
    provenance: async (sha256, filename) => stored(await provenances.of(await permitted(sha256, filename))),
    async close() {
      closing.abort(new MuslinError('shutting-down', 'the file is fetched again when it is asked for'))
      await Promise.allSettled([...transfers.values()].map(({ finished }) => finished))
    },
  }

  async function open(sha256: string, filename: string): Promise<OpenFile> {
    // A page that names a wheel of ours does not make it the upstream's.
    const wheel = await store.wheels.wheel(sha256, filename)
    const file = await store.pages.file(sha256, filename)
    const recorded = wheel ?? file
    if (!recorded) throw noSuchFile(filename)
    await policy.check(recorded)
    if (file) cache?.used(sha256)
    const known = await find(sha256)
    if (known) return known
    if (!file) throw missing(filename)
    const place = placeOf(file)
    const told = { get: () => sizes.get(place), set: (size: number) => sizes.set(place, size) }
    return coldFile(file, { upstream, told, find: () => find(sha256), fly: () => fly(file), running: () => transfers.get(place) })
  }

  async function permitted(sha256: string, filename: string): Promise<UpstreamFile> {
    const file = await store.pages.file(sha256, filename)
    if (!file) throw noSuchFile(filename)
    await policy.check(file)
    return file
  }

  async function stored(sha256: string): Promise<OpenFile> {
    const found = await find(sha256)
    if (!found) throw missing(sha256)
    return found
  }

  async function find(sha256: string): Promise<OpenFile | undefined> {
    const found = await blobs.look(sha256, SMALL_BYTES)
    return found && {
      sha256,
      size: found.size,
      bytes: found.bytes,
      reader: () => blobs.reader(sha256),
      read: async (range) => ({
        body: found.bytes ? streamed(found.bytes, range) : await blobs.read(sha256, range),
        length: range ? range.end - range.start + 1 : found.size,
      }),
    }
  }

  // The transfer belongs to nobody: whoever asked first may leave, the others and the blob get their bytes.
  function fly(file: UpstreamFile): Transfer {
    const place = placeOf(file)
    const running = transfers.get(place)
    if (running) return running
    const transfer = beginTransfer(file, { blobs, upstream, clock, log, closing: closing.signal, kept: () => made.check(file), ended: () => transfers.delete(place) })
    transfers.set(place, transfer)
    return transfer
  }

  async function blob(sha256: string, filename: string): Promise<Readable> {
    const file = await open(sha256, filename)
    return file.measure ? pinned(sha256, filename) : blobs.read(sha256)
  }

  async function pinned(sha256: string, filename: string): Promise<Readable> {
    if (!await blobs.stat(sha256)) {
      const file = await store.pages.file(sha256, filename)
      if (!file) throw noSuchFile(filename)
      await fly(file).finished
    }
    return blobs.read(sha256)
  }

  async function metadata(sha256: string, filename: string): Promise<OpenFile> {
    const wheel = await store.wheels.wheel(sha256, filename)
    const file = wheel ? undefined : await store.pages.file(sha256, filename)
    const recorded = wheel ?? file
    if (recorded) await policy.check(recorded)
    // A wheel that has just been kept is being looked at.
    if (file && file.metadata === undefined && await blobs.stat(sha256)) await transfers.get(placeOf(file))?.finished
    const digest = wheel?.metadata ?? file?.metadata ?? (file && await made.known(file))
    const known = digest === undefined || digest === '' ? undefined : await find(digest)
    if (known) return known
    if (!file) throw wheel ? missing(`${filename}.metadata`) : noSuchFile(`${filename}.metadata`)
    if (file.metadata === undefined && !parseWheelFilename(filename)) throw noSuchFile(`${filename}.metadata`)
    const announced = file.metadata
    return stored(await metadataFlight(`${file.project} ${filename} ${placeOf(file)}`, () => announced === undefined ? made.make(file) : fetchMetadata(file, announced)))
  }

  async function fetchMetadata(file: UpstreamFile, expected: string): Promise<string> {
    const what = `${file.filename}.metadata`
    const tooMuch = () => new MuslinError('upstream-bad-answer', `the upstream sends more than ${LARGEST_METADATA} bytes as ${what}; nothing of them was kept`)
    const limit = timeLimit(METADATA_MS, { clock, closing: closing.signal, what })
    try {
      const { body } = await upstream.file(metadataUrl(file.url), { source: file.source, signal: limit.signal })
      const sha256 = await keepBlob(blobs, upTo(LARGEST_METADATA, body, tooMuch), expected || undefined).finally(() => body.destroy())
      // A page that announces metadata without a digest (PEP 714: `true`) leaves it to the first fetch what they are for ever.
      if (expected === '') await store.pages.setMetadata(file, sha256)
      return sha256
    } finally {
      limit.end()
    }
  }
}

/** Two pages may tell one digest, and one of them lead to a server that is slow, or lies, or lets in only one of them: nobody waits for the other's. */
function placeOf({ sha256, url, source }: UpstreamFile): string {
  return `${sha256} ${source ?? ''} ${url}`
}

function streamed(bytes: Buffer, range: { start: number; end: number } | undefined): Readable {
  const wanted = range ? bytes.subarray(range.start, range.end + 1) : bytes
  return Readable.from(wanted.length > 0 ? [wanted] : [])
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
