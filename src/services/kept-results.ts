import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { newestApks, outdatedLibraries } from '../domain/apk-index.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import type { ClaimedJob } from '../domain/job.ts'
import { wheelFits } from '../domain/tags.ts'
import { parseTarget } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import { keepBlob } from './keep-blob.ts'
import type { ApkBranches, BlobStore, BuildWork, Clock, ResultStore, WheelSystem } from './ports.ts'

export interface KeptResults {
  /**
   * The newest wheel of the same sdist and recipe, built for whichever target, that this job's target takes too and that bundles nothing of
   * which the branch has a newer apk, as far as that can be told; undefined: none.
   */
  fitting(job: Pick<ClaimedJob, 'sdist' | 'target'>, recipe: string): Promise<BuildWork['result']>
  /** Keeps what a build made, for other targets. */
  keep(job: Pick<ClaimedJob, 'sdist' | 'build'>, recipe: string, made: { path: string; filename: string; system: WheelSystem | undefined }): Promise<void>
}

/** Wheels as their builds made them: abi3 and pure ones serve several targets, each under a tag of its own. */
export function createKeptResults({ results, blobs, branches, clock }: {
  results: ResultStore
  blobs: BlobStore
  branches: Pick<ApkBranches, 'index'>
  clock: Clock
}): KeptResults {
  return {
    async fitting({ sdist, target: name }, recipe) {
      const target = parseTarget(name)
      if (!target) return undefined
      for (const result of await results.of(sdist.sha256, recipe)) {
        const wheel = parseWheelFilename(result.filename)
        if (wheel && wheelFits(wheel, target) && await blobs.stat(result.sha256) && !await isOutdated(result.system)) return { ...result, open: () => blobs.read(result.sha256) }
      }
      return undefined
    },
    async keep({ sdist, build }, recipe, { path, filename, system }) {
      const { size } = await stat(path)
      const sha256 = await keepBlob(blobs, createReadStream(path, { highWaterMark: 1 << 20 }))
      await results.put({ sdist: sdist.sha256, recipe, filename, sha256, size, build, system }, clock.now())
    },
  }

  async function isOutdated(system: WheelSystem | undefined): Promise<boolean> {
    if (!system || system.bundled.length === 0) return false
    try {
      return outdatedLibraries(system.bundled, newestApks(await branches.index(system.repositories, system.arch))).length > 0
    } catch (error) {
      // The list of outdated wheels will have it once the branch answers.
      if (error instanceof MuslinError) return false
      throw error
    }
  }
}
