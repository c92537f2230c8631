import { parseWheelFilename } from '../domain/filename.ts'
import { canonicalVersion } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import type { Files } from './files.ts'
import { keepBlob } from './keep-blob.ts'
import { lastOf } from './last-of.ts'
import type { BlobStore, Store } from './ports.ts'
import type { Promised } from './promises.ts'
import type { Recipes } from './recipes.ts'
import { singleFlight } from './single-flight.ts'

/** Reads METADATA from an sdist where its PKG-INFO can be trusted to be that of any wheel (metadata 2.2 or later, nothing dynamic). */
export type StaticMetadata = (project: string, sdist: { sha256: string; filename: string }) => Promise<Buffer | undefined>

export interface PromiseMetadata {
  /** sha256 of the METADATA blob of a promised wheel, where it can be known without building anything. */
  known(promised: Promised): Promise<string | undefined>
}

/** METADATA of wheels that are not built yet: from a step that ran before, from the release's other wheels, or from the sdist. */
export function createPromiseMetadata({ store, blobs, files, recipes, staticMetadata }: {
  store: Store
  blobs: BlobStore
  files: Pick<Files, 'metadata'>
  recipes: Pick<Recipes, 'forProject'>
  staticMetadata: StaticMetadata
}): PromiseMetadata {
  const flight = singleFlight<string | undefined>()
  /** Digests of sdists that do not tell: to learn that, all of one is read, and every hop of a held client asks again. */
  const untold = lastOf<true>(50_000)

  return {
    async known(promised) {
      const { sdist, target } = promised
      return await store.metadata.get(sdist.sha256, target.name) ?? flight(`${sdist.sha256} ${target.name}`, () => find(promised))
    },
  }

  async function find(promised: Promised): Promise<string | undefined> {
    const found = await ofWheels(promised) ?? await ofSdist(promised)
    // What was served once is served again, and a build is compared with it.
    if (found !== undefined) await store.metadata.set(promised.sdist.sha256, promised.target.name, found)
    return found
  }

  /** Where all wheels of the release announce the same digest, one more wheel will hardly differ. */
  async function ofWheels({ project, version }: Promised): Promise<string | undefined> {
    const wheels = (await store.pages.files(project)).filter((file) => isWheelOf(file.filename, project, version))
    const [first] = wheels
    if (!first?.metadata || wheels.some((file) => file.metadata !== first.metadata)) return undefined
    try {
      await files.metadata(first.sha256, first.filename)
      return first.metadata
    } catch (error) {
      // Another wheel's METADATA is a short cut. Where it cannot be had, the sdist or the metadata step still tells.
      if (error instanceof MuslinError) return undefined
      throw error
    }
  }

  async function ofSdist({ project, version, target, sdist }: Promised): Promise<string | undefined> {
    if (untold.has(sdist.sha256)) return undefined
    // What is built is another sdist.
    if ((await recipes.forProject(project))(version, target.name).recipe.patches.length > 0) return undefined
    const metadata = await staticMetadata(project, sdist)
    if (metadata) return keepBlob(blobs, [metadata])
    untold.set(sdist.sha256, true)
    return undefined
  }
}

function isWheelOf(filename: string, project: string, version: string): boolean {
  const wheel = parseWheelFilename(filename)
  return wheel?.project === project && canonicalVersion(wheel.version) === canonicalVersion(version)
}
