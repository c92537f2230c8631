import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { parseWheelFilename } from '../domain/filename.ts'
import { MuslinError } from '../errors.ts'
import { keepBlob } from './keep-blob.ts'
import type { BlobStore, Clock, Store, Upstream, UpstreamFile } from './ports.ts'
import { readWheelMetadata } from './wheel-metadata.ts'
import { timeLimit } from './time-limit.ts'
import { upTo } from './up-to.ts'
import { type ByteSource, UnreadableZip, UnusualZip } from './zip-member.ts'

/** METADATA for the upstream's wheels that lack it, out of the wheels themselves. */
export interface MadeMetadata {
  /** sha256 of what was made before. */
  known(file: UpstreamFile): Promise<string | undefined>
  /**
   * Makes it: out of the whole wheel where that is here or the upstream has no ranges, else out of parts of it. Resolves with the blob's
   * sha256. Throws `no-such-file` for a wheel that has none, which is remembered, and what the upstream's failure is.
   */
  make(file: UpstreamFile): Promise<string>
  /** The whole wheel was kept: what was made out of its parts is compared, and corrected where they were other bytes. */
  check(file: UpstreamFile): Promise<void>
}

/** For the few small parts of a wheel; the whole may take longer. */
const PARTS_MS = 60_000

export function createMadeMetadata({ store, blobs, upstream, clock, log, closing, whole }: {
  store: Store
  blobs: BlobStore
  upstream: Upstream
  clock: Clock
  log: Logger
  closing: AbortSignal
  /** Resolves when the whole file is kept. */
  whole: (file: UpstreamFile) => Promise<void>
}): MadeMetadata {
  return { known: async (file) => (await store.kept.get(keyOf(file)))?.sha256, make, check }

  async function make(file: UpstreamFile): Promise<string> {
    const read = await blobs.stat(file.sha256) ? undefined : await readParts(file)
    if (read) return keep(file, read)
    await whole(file)
    return keep(file, await readKept(file))
  }

  /** Undefined where it takes the whole. */
  async function readParts(file: UpstreamFile): Promise<Buffer | undefined> {
    const limit = timeLimit(PARTS_MS, { clock, closing, what: `the METADATA of ${file.filename}` })
    try {
      const parts = await upstreamParts(file, limit.signal)
      return parts && await readWheelMetadata(parts, file.filename)
    } catch (error) {
      if (!(error instanceof UnreadableZip)) throw error
      log.info({ file: file.filename, why: error.message }, 'the METADATA of a wheel cannot be read from parts of it; all of it is looked at')
      return undefined
    } finally {
      limit.end()
    }
  }

  async function check(file: UpstreamFile): Promise<void> {
    if (file.metadata !== undefined || !parseWheelFilename(file.filename)) return
    const before = await store.kept.get(keyOf(file))
    const now = await keep(file, await readKept(file))
    if (before && before.sha256 !== now) log.warn({ file: file.filename, before: before.sha256, now }, 'the METADATA that was read from parts of a wheel was another one; the wheel\'s own is served now')
  }

  async function readKept(file: UpstreamFile): Promise<Buffer> {
    const found = await blobs.stat(file.sha256)
    if (!found) throw new MuslinError('internal', `the bytes of ${file.filename} are missing; ask for it again`)
    try {
      return await readWheelMetadata({ size: found.size, read: async (start, end) => buffer(await blobs.read(file.sha256, { start, end })) }, file.filename)
    } catch (error) {
      if (!(error instanceof UnreadableZip)) throw error
      // A page that announces what cannot be had would stop every install; nobody is told of it any more.
      await store.pages.setUnreadable(file)
      throw new MuslinError('no-such-file', `no METADATA can be read out of ${file.filename} (${error.message}); its page announces none from now on: run again`, { cause: error })
    }
  }

  /** Undefined where the upstream has no ranges. */
  async function upstreamParts(file: UpstreamFile, signal: AbortSignal): Promise<ByteSource | undefined> {
    const size = file.size ?? await sizeOf(file, signal)
    if (size === undefined) return undefined
    return {
      size,
      async read(start, end) {
        const answer = await upstream.file(file.url, { source: file.source, from: start, to: end, signal })
        if (answer.partial) return buffer(upTo(end - start + 1, answer.body, () => new UnreadableZip('the upstream sends more than it was asked for')))
        answer.body.destroy()
        throw new UnreadableZip('the upstream has no ranges')
      },
    }
  }

  async function sizeOf(file: UpstreamFile, signal: AbortSignal): Promise<number | undefined> {
    const { body, size, partial } = await upstream.file(file.url, { source: file.source, from: 0, to: 0, signal })
    body.destroy()
    return partial ? size : undefined
  }

  async function keep(file: UpstreamFile, metadata: Buffer): Promise<string> {
    const sha256 = await keepBlob(blobs, [metadata])
    await store.kept.put({ path: keyOf(file), sha256, size: metadata.length, etag: undefined, fetchedAt: clock.now() })
    return sha256
  }
}

/** Whether it says that a wheel is damaged, for whoever reads it. */
export function saysDamaged(error: unknown): boolean {
  return error instanceof MuslinError && error.cause instanceof UnreadableZip && !(error.cause instanceof UnusualZip)
}

/** Parts of a wheel are what the address says that this project's page gave: nobody can check them. */
function keyOf({ sha256, filename, project }: UpstreamFile): string {
  return `metadata/${project}/${sha256}/${filename}`
}
