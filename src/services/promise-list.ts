/** Which promises a page lists: from plain data alone, so that a thread can tell. */
import { createHmac } from 'node:crypto'
import { sha256Of } from '../domain/digest.ts'
import { parseSdistFilename } from '../domain/filename.ts'
import type { PromiseEntry } from '../domain/merge.ts'
import type { ProjectPage } from '../domain/page.ts'
import { promisable } from '../domain/promise.ts'
import type { RecipeLayer } from '../domain/recipe.ts'
import type { Target } from '../domain/target.ts'
import { canonicalVersion } from '../domain/version.ts'
import { applying } from './applied.ts'
import type { BuiltWheel } from './ports.ts'

/** All that decides it besides the page and the wheels that were built. */
export interface PromiseTerms {
  target: Target
  /** The project's recipes, in the order in which they are merged. */
  layers: RecipeLayer[]
  /** What is remembered as failed for the target with its image of today, and the digest of the recipe then. */
  failed: { sdist: { sha256: string; filename: string }; recipe: string }[]
  /** The secret of the ids. */
  key: string
}

/** What the page lists besides the upstream's files and the wheels that were built. */
export function promisesOn(page: ProjectPage, project: string, wheels: BuiltWheel[], { target, layers, failed, key }: PromiseTerms): PromiseEntry[] {
  const applied = applying(layers)
  // What failed with another recipe may succeed with that of today.
  const still = failed.filter(({ sdist, recipe }) => recipe === applied(versionOf(sdist.filename, project), target.name).digest)
  const remembered = new Set(still.map(({ sdist }) => sdist.sha256))
  return promisable({ page, target, wheels, remembered })
    .filter(({ version }) => applied(version, target.name).recipe.skip === undefined)
    .map(({ sdist, filename, version }) => ({ id: promiseId(key, sha256Of(sdist) ?? '', filename), filename, version, sdist }))
}

/** The id of a promise: nobody guesses one, and every process makes the same. */
export function promiseId(key: string, sdist: string, filename: string): string {
  return createHmac('sha256', key).update(`${sdist}|${filename}`).digest('hex').slice(0, 32)
}

function versionOf(sdist: string, project: string): string {
  return canonicalVersion(parseSdistFilename(sdist, project)?.version ?? '')
}
