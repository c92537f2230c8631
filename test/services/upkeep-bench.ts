/** A data folder with one of everything in it, as a server leaves it. */
import { join } from 'node:path'
import { pino } from 'pino'
import { createUpkeep } from '../../src/compose/upkeep.ts'
import { keepBlob } from '../../src/services/keep-blob.ts'
import type { Clock, UpstreamFile } from '../../src/services/ports.ts'
import type { Upkeep } from '../../src/services/upkeep.ts'
import { blobPath } from '../../src/storage/blob-folder.ts'
import { wheelContents, zip } from '../fixtures/make-wheel.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { type Bench, makeBench, TARGET } from './bench.ts'

export const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\n\nHello\n'
export const WHEEL = `demo-1.0-1-cp313-${TARGET}.whl`

/** Digests of what lies there. */
export interface Things { file: string; fileMetadata: string; sdist: string; wheel: string; metadata: string; promise: string; result: string; kept: string; list: string; loose: string; job: number; build: number }

export interface UpkeepBench extends Bench {
  things: Things
  upkeep: Upkeep
  pathOf(digest: string): string
  /** A commands' view of the same folder, at another time or with other settings. */
  upkeepAt(parts: { now?: number; cacheSize?: number; data?: string }): Upkeep
}

export async function makeUpkeepBench(): Promise<UpkeepBench> {
  const bench = await makeBench()
  const upkeepAt = ({ now, cacheSize, data = bench.folder }: { now?: number; cacheSize?: number; data?: string } = {}): Upkeep => {
    const clock: Clock = { now: () => now ?? Date.now(), sleep: async () => undefined }
    return createUpkeep({ data, cacheSize }, { log: pino({ level: 'silent' }), clock, cwd: '/' })
  }
  return { ...bench, things: await fill(bench), upkeep: upkeepAt(), upkeepAt, pathOf: (digest) => blobPath(join(bench.folder, 'blobs'), digest) }
}

async function fill(bench: Bench): Promise<Things> {
  const { store, blobs, logs, wish, claim } = bench
  const keep = (bytes: string | Buffer) => keepBlob(blobs, [Buffer.from(bytes)])
  const wheelBytes = Buffer.from(await zip(wheelContents({ 'demo.py': 'x = 1\n' }, { tags: [`cp313-${TARGET}`], metadata: METADATA })))
  const [file, fileMetadata, sdist, wheel, metadata] = [await keep('bytes of a file'), await keep('Metadata-Version: 2.1\nName: file\n'), await keep('an sdist'), await keep(wheelBytes), await keep(METADATA)]
  const recorded = (digest: string, filename: string, project: string, told?: string): UpstreamFile => ({ sha256: digest, filename, project, url: `https://upstream.example/${filename}`, metadata: told })
  const files = { file: [recorded(file, 'file-1-py3-none-any.whl', 'file', fileMetadata)], demo: [recorded(sdist, 'demo-1.0.tar.gz', 'demo')] }
  for (const [project, all] of Object.entries(files)) {
    const json = Buffer.from(JSON.stringify({ name: project, files: all.map((one) => ({ filename: one.filename, url: one.url, hashes: { sha256: one.sha256 } })) }))
    await store.pages.put({ project, json, url: `https://upstream.example/simple/${project}/`, validator: undefined, fetchedAt: 5 }, all)
  }
  await store.cache.note([{ sha256: file, size: 15, at: 1 }, { sha256: sdist, size: 8, at: 2 }])

  await wish({ sdist: { sha256: sdist, filename: 'demo-1.0.tar.gz' } })
  const job = await claim()
  const sink = await logs.open(job.build)
  sink.write('it was built\n')
  await sink.close()
  await store.wheels.publish({
    sha256: wheel, filename: WHEEL, size: wheelBytes.length, project: 'demo', version: '1.0', target: TARGET, sdist, number: 1, metadata, requiresPython: '>=3.9', publishedAt: 1, build: job.build,
  }, { id: job.id, worker: 'me', metadataChanged: false }, { note: 'a record' }, 1)

  const promise = await keep('Metadata-Version: 2.1\nName: promised\n')
  await store.metadata.set('b'.repeat(64), TARGET, promise)
  const result = await keep('a pure wheel')
  await store.results.put({ sdist, recipe: 'r', filename: 'demo-1.0-py3-none-any.whl', sha256: result, size: 12, build: job.build, system: undefined }, 1)
  const kept = await keep('an apk')
  await store.kept.put({ path: 'apk/main/x86_64/zlib.apk', sha256: kept, size: 6, etag: undefined, fetchedAt: 1 })
  const list = await keep('{"projects":[]}')
  await store.pages.putList({ sha256: list, validator: undefined, fetchedAt: 1 })
  return { file, fileMetadata, sdist, wheel, metadata, promise, result, kept, list, loose: await keep('of no use any more'), job: job.id, build: job.build }
}

export { sha256 }
