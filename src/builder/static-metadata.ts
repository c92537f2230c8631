import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseSdistFilename } from '../domain/filename.ts'
import { planBuild } from '../domain/plan.ts'
import { Failed } from './failed.ts'
import { readSdist, sdistName } from './sdist.ts'

/** A client is held meanwhile: a larger sdist waits for the builder, which has its limits from the settings. */
const BOUNDS = { entries: 50_000, bytes: 1 << 30, seconds: 20 }

/**
 * Reads METADATA out of an sdist without building: its PKG-INFO where that is certain to say what a wheel would (metadata 2.2).
 * `blob` gives the sdist's bytes, `scratch` is a folder for a copy. Undefined where it takes a build, and for a bad sdist:
 * the job will say what is wrong with it.
 */
export function createStaticMetadata({ blob, scratch }: { blob: (sha256: string, filename: string) => Promise<Readable>; scratch: string }) {
  return async (project: string, sdist: { sha256: string; filename: string }): Promise<Buffer | undefined> => {
    const folder = await mkdtemp(join(scratch, 'metadata-'))
    try {
      const path = join(folder, sdistName(sdist.filename))
      await pipeline(await blob(sdist.sha256, sdist.filename), createWriteStream(path))
      const named = parseSdistFilename(sdist.filename, project)
      const planned = planBuild(await readSdist(path, BOUNDS), named && { project, version: named.version })
      return 'plan' in planned && planned.plan.metadata !== undefined ? Buffer.from(planned.plan.metadata) : undefined
    } catch (error) {
      if (error instanceof Failed) return undefined
      throw error
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
