import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { ClaimedJob } from '../domain/job.ts'
import { parseMetadata, sameForInstallers } from '../domain/metadata.ts'
import { keepBlob } from './keep-blob.ts'
import type { BlobStore, BuildRecord, BuildWork, Built, Clock, Store } from './ports.ts'

/** Makes a finished wheel visible, with the end of its job. False where another worker has the job by now: then nothing was published. */
export type PublishWheel = (job: ClaimedJob, worker: string, work: BuildWork, built: Built, record: BuildRecord) => Promise<boolean>

export function createPublishWheel({ store, blobs, clock }: { store: Store; blobs: BlobStore; clock: Clock }): PublishWheel {
  return async (job, worker, work, { wheel, metadata, requiresPython, system }, record) => {
    await work.onStep('publish')
    const { size } = await stat(wheel)
    // Everything is on disk under its digest before the one transaction that makes it visible.
    const sha256 = await keepBlob(blobs, createReadStream(wheel, { highWaterMark: 1 << 20 }))
    const kept = await keepBlob(blobs, [metadata])
    const metadataChanged = await differs(job, kept, metadata)
    const now = clock.now()
    // Whoever follows the log reads no further than to the transaction that ends the build.
    work.log.write(`Muslin: publishing ${basename(wheel)}, sha256 ${sha256}\n`)
    const published = await store.wheels.publish(
      {
        sha256, size, filename: basename(wheel), project: job.project, version: job.version, target: job.target, sdist: job.sdist.sha256,
        number: work.number, metadata: kept, requiresPython, publishedAt: now, build: job.build, system,
      },
      { id: job.id, worker, metadataChanged }, record, now,
    )
    if (!published) work.log.write('Muslin: another worker has the job now, nothing was published\n')
    return published
  }

  /** Whether installers were promised something else. */
  async function differs({ sdist, target }: ClaimedJob, kept: string, metadata: Buffer): Promise<boolean> {
    const served = await store.metadata.get(sdist.sha256, target)
    if (served === undefined || served === kept) return false
    const before = await buffer(await blobs.read(served))
    return !sameForInstallers(parseMetadata(before.toString()), parseMetadata(metadata.toString()))
  }
}
