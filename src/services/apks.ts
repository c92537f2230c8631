/** The apk repositories that builder images name: proxied by path, checked against their indexes, and kept for ever. */
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { ApkEntry } from '../domain/apk-index.ts'
import { APK_ARCH, APK_FILE, APK_INDEX, APK_PATH } from '../domain/apk-repository.ts'
import { MuslinError } from '../errors.ts'
import { createApkCheck } from './apk-check.ts'
import { createApkIndexes } from './apk-indexes.ts'
import { createApkSources } from './apk-sources.ts'
import type { OpenFile } from './files.ts'
import { keptPresent } from './kept-present.ts'
import type { ApkBranches, BlobStore, Clock, KeptFile, KeptStore, RemoteFiles } from './ports.ts'
import { singleFlight } from './single-flight.ts'

export interface Apks extends ApkBranches {
  /**
   * A file of a repository that some image named: its `APKINDEX.tar.gz`, or an apk that its index lists. Throws `not-found` for anything
   * else, `digest-mismatch` where the repository sent other bytes than its index says, and what the upstream's failure is.
   */
  open(path: string, arch: string, file: string): Promise<OpenFile>
}

/** `mirror` is the setting apkMirror, without credentials that must not be recorded; those are `remote`'s. */
export function createApkBranches({ kept, blobs, remote, clock, log, mirror }: {
  kept: KeptStore
  blobs: BlobStore
  remote: RemoteFiles
  clock: Clock
  log: Logger
  mirror: string | undefined
}): Apks {
  const sources = createApkSources({ kept, mirror })
  const indexes = createApkIndexes({ kept, blobs, remote, sources, clock, log })
  const flight = singleFlight<KeptFile>()

  return {
    serve: (repositories) => sources.serve(repositories),
    index: async (paths, arch) => (await all(paths, arch)).flatMap(({ entries }) => entries),
    indexes: all,
    async open(path, arch, file) {
      if (!APK_PATH.test(path) || !APK_ARCH.test(arch)) throw notFound(path, file)
      const found = file === APK_INDEX ? await indexes.get(path, arch) : APK_FILE.test(file) ? await apk(path, arch, file) : undefined
      if (!found) throw notFound(`${path}/${arch}`, file)
      return {
        sha256: found.sha256,
        size: found.size,
        read: async (range) => ({ body: await blobs.read(found.sha256, range), length: range ? range.end - range.start + 1 : found.size }),
      }
    },
  }

  async function all(paths: string[], arch: string) {
    const strange = paths.find((path) => !APK_PATH.test(path))
    if (strange !== undefined || !APK_ARCH.test(arch)) throw notFound(strange ?? arch, APK_INDEX)
    const found = await Promise.all(paths.map(async (path) => {
      const index = await indexes.get(path, arch)
      if (!index) return []
      const { sha256, size, fetchedAt, failure } = index
      return [{ path, sha256, size, entries: (await indexes.read(index)).entries, open: () => blobs.read(sha256), ...failure !== undefined && { older: { fetchedAt, why: failure } } }]
    }))
    return found.flat()
  }

  async function apk(path: string, arch: string, file: string): Promise<KeptFile | undefined> {
    const key = `${path}/${arch}/${file}`
    const known = await keptPresent({ kept, blobs }, key)
    const listed = await entryOf(path, arch, file).catch((error: unknown) => {
      if (!known) throw error
      return undefined
    })
    // One that is not listed any more is kept for who wants the same as last time; one that was made again under its name is fetched.
    if (known && (!listed || listed.checksum === known.etag)) return known
    return listed && flight(`${key} ${listed.checksum}`, async () => fetch(key, `${await sources.url(path)}/${arch}/${file}`, listed))
  }

  async function entryOf(path: string, arch: string, file: string): Promise<ApkEntry | undefined> {
    const index = await indexes.get(path, arch)
    return index && (await indexes.read(index)).byFile.get(file)
  }

  /** `etag` is the checksum that the index gives it. */
  async function fetch(key: string, url: string, listed: ApkEntry): Promise<KeptFile> {
    const answer = await remote.get(url)
    if (answer.kind !== 'file') throw new MuslinError('upstream-refused', `${key} is in its repository's index, but not there; try again when the mirror is whole, or set apkMirror to another`)
    const file = { path: key, ...await checked(answer.body, key, listed), etag: listed.checksum, fetchedAt: clock.now() }
    await kept.put(file)
    return file
  }

  async function checked(body: Readable, key: string, listed: ApkEntry): Promise<{ sha256: string; size: number }> {
    const check = createApkCheck(listed)
    const draft = await blobs.draft().catch((error: unknown) => {
      body.destroy()
      throw error
    })
    try {
      let size = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        check.add(chunk)
        size += chunk.length
        if (size > listed.size) break
        await draft.write(chunk)
      }
      const problem = check.problem()
      if (problem !== undefined) throw new MuslinError('digest-mismatch', `${key} ${problem}; nothing of it was kept`)
      return await draft.keep()
    } catch (error) {
      await draft.discard(error as Error)
      throw error
    }
  }
}

function notFound(folder: string, file: string): MuslinError {
  return new MuslinError('not-found', `${folder} has no ${file} here; apks are served that the index of a builder image's repository lists`)
}
