import { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { apkFilename, type ApkEntry } from '../domain/apk-index.ts'
import { APK_INDEX } from '../domain/apk-repository.ts'
import { MuslinError } from '../errors.ts'
import { readApkIndex } from './apk-index-file.ts'
import type { ApkSources } from './apk-sources.ts'
import { keepBlob } from './keep-blob.ts'
import { keptPresent } from './kept-present.ts'
import type { BlobStore, Clock, KeptFile, KeptStore, RemoteFiles } from './ports.ts'
import { singleFlight } from './single-flight.ts'

export interface ApkIndexes {
  /** The index of a repository for a CPU, as fresh as can be had; undefined where it has none. Throws what the upstream's failure is. */
  get(path: string, arch: string): Promise<KeptIndex | undefined>
  /** What a kept index holds. */
  read(index: KeptFile): Promise<{ entries: ApkEntry[]; byFile: Map<string, ApkEntry> }>
}

/** `failure`: why no newer one could be had, where one was due. */
export type KeptIndex = KeptFile & { failure?: string }

const FRESH_MS = 10 * 60_000
/** After a failure, and where there is none, a repository is left alone for so long. */
const LEFT_ALONE_MS = 30_000
const LARGEST = 64 << 20
/** An index takes some ten megabytes of memory. */
const MOST_READ = 8

/** Indexes of repositories: kept for ever, asked for anew when they are ten minutes old; an older one does where that fails. */
export function createApkIndexes({ kept, blobs, remote, sources, clock, log }: {
  kept: KeptStore
  blobs: BlobStore
  remote: RemoteFiles
  sources: ApkSources
  clock: Clock
  log: Logger
}): ApkIndexes {
  const alone = new LRUCache<string, { until: number; failure: string }>({ max: 1000 })
  const parsed = new LRUCache<string, Awaited<ReturnType<ApkIndexes['read']>>>({ max: MOST_READ })
  const flight = singleFlight<KeptIndex | undefined>()
  const reading = singleFlight<Awaited<ReturnType<ApkIndexes['read']>>>()

  return {
    async get(path, arch) {
      const url = await sources.url(path)
      const key = `${path}/${arch}/${APK_INDEX}`
      const known = await keptPresent({ kept, blobs }, key)
      if (known && clock.now() < known.fetchedAt + FRESH_MS) return known
      const left = alone.get(key)
      if (left && clock.now() < left.until) return known && { ...known, failure: left.failure }
      return flight(key, () => ask(key, `${url}/${arch}/${APK_INDEX}`, known))
    },
    read: ({ sha256, path }) => reading(sha256, async () => {
      const found = parsed.get(sha256) ?? byName(await readApkIndex(await blobs.read(sha256), path))
      parsed.set(sha256, found)
      return found
    }),
  }

  /** One whose bytes somebody removed is none. */
  async function ask(key: string, url: string, known: KeptFile | undefined): Promise<KeptIndex | undefined> {
    try {
      const found = await fetch(key, url, known)
      if (found) return found
      if (known) log.warn({ index: key }, 'an apk repository is gone, its older index is used')
      return instead(key, known, `${key} is there no more; check the setting apkMirror`)
    } catch (error) {
      if (!known) throw error
      log.warn({ err: error, index: key, fetchedAt: known.fetchedAt }, 'an apk repository failed, its older index is used')
      return instead(key, known, error instanceof MuslinError ? error.detail : 'it could not be kept; the log of the server says why')
    }
  }

  function instead(key: string, known: KeptFile | undefined, failure: string): KeptIndex | undefined {
    alone.set(key, { until: clock.now() + LEFT_ALONE_MS, failure })
    return known && { ...known, failure }
  }

  async function fetch(key: string, url: string, known: KeptFile | undefined): Promise<KeptFile | undefined> {
    const answer = await remote.get(url, known?.etag)
    if (answer.kind === 'absent') return undefined
    const file = answer.kind === 'file' ? { path: key, ...await store(answer.body, key), etag: answer.validator } : known
    if (!file) throw new MuslinError('upstream-bad-answer', `${key} is said to be unchanged, but was never sent; check the setting apkMirror`)
    const fresh = { ...file, fetchedAt: clock.now() }
    await kept.put(fresh)
    return fresh
  }

  /** Kept only if it can be read: some proxy's page about an error would stay for ten minutes. */
  async function store(body: Readable, key: string): Promise<{ sha256: string; size: number }> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LARGEST) throw new MuslinError('upstream-bad-answer', `${key} is larger than ${LARGEST} bytes; check the setting apkMirror`)
      chunks.push(chunk)
    }
    const bytes = Buffer.concat(chunks)
    const found = byName(await readApkIndex(Readable.from([bytes]), key))
    const sha256 = await keepBlob(blobs, [bytes])
    parsed.set(sha256, found)
    return { sha256, size }
  }
}

function byName(entries: ApkEntry[]) {
  return { entries, byFile: new Map(entries.map((entry) => [apkFilename(entry), entry])) }
}
