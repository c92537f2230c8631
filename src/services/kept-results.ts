import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { parseWheelFilename } from '../domain/filename.ts'
import type { ClaimedJob } from '../domain/job.ts'
import { wheelFits } from '../domain/tags.ts'
import { parseTarget } from '../domain/target.ts'
import { keepBlob } from './keep-blob.ts'
import type { BlobStore, BuildWork, Clock, ResultStore, WheelSystem } from './ports.ts'

export interface KeptResults {
  /** The newest wheel of the same sdist and recipe, built for whichever target, that this job's target takes too; undefined: none. */
  fitting(job: Pick<ClaimedJob, 'sdist' | 'target'>, recipe: string): Promise<BuildWork['result']>
  /** Keeps what a build made, for other targets. */
  keep(job: Pick<ClaimedJob, 'sdist' | 'build'>, recipe: string, made: { path: string; filename: string; system: WheelSystem | undefined }): Promise<void>
}

/** Wheels as their builds made them: abi3 and pure ones serve several targets, each under a tag of its own. */
export function createKeptResults({ results, blobs, clock }: { results: ResultStore; blobs: BlobStore; clock: Clock }): KeptResults {
  return {
    async fitting({ sdist, target: name }, recipe) {
      const target = parseTarget(name)
      if (!target) return undefined
      for (const result of await results.of(sdist.sha256, recipe)) {
        const wheel = parseWheelFilename(result.filename)
        if (wheel && wheelFits(wheel, target) && await blobs.stat(result.sha256)) return { ...result, open: () => blobs.read(result.sha256) }
      }
      return undefined
    },
    async keep({ sdist, build }, recipe, { path, filename, system }) {
      const { size } = await stat(path)
      const sha256 = await keepBlob(blobs, createReadStream(path, { highWaterMark: 1 << 20 }))
      await results.put({ sdist: sdist.sha256, recipe, filename, sha256, size, build, system }, clock.now())
    },
  }
}
