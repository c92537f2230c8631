import { createHash } from 'node:crypto'
import { mergeRecipes, type Recipe, type RecipeLayer } from '../domain/recipe.ts'

/**
 * The recipe's part of a job's key: sha256 of all that a build depends on, however it was written; the empty string where it says nothing.
 * What the users of a wheel need changes no build.
 */
export function recipeDigest({ runtimeApks: _, ...recipe }: Recipe): string {
  const said = withoutEmpty(recipe)
  return Object.keys(said).length === 0 ? '' : createHash('sha256').update(canonical(said)).digest('hex')
}

/**
 * The digest of what a build was made by in the end: of the layers that it began with and what it found out by itself, whatever people have
 * written since.
 */
export function digestWith(learnt: Partial<Recipe>, { project, version, target }: { project: string; version: string; target: string }, layers: RecipeLayer[]): string {
  const lesson: RecipeLayer = { project, versions: undefined, targets: undefined, origin: 'learnt', recipe: learnt, note: undefined }
  return recipeDigest(mergeRecipes([...layers, lesson], version, target))
}

/** What a recipe says, without what it leaves as it is. */
export function withoutEmpty(recipe: Partial<Recipe>): Partial<Recipe> {
  return Object.fromEntries(Object.entries(recipe).filter(([key, value]) => !isEmpty(key, value)))
}

function isEmpty(key: string, value: unknown): boolean {
  if (value === undefined || value === '' || value === false) return true
  // No build requirements at all are something else than the sdist's own.
  return typeof value === 'object' && key !== 'requires' && Object.keys(value ?? {}).length === 0
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => typeof each !== 'object' || each === null || Array.isArray(each) ? each
    : Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => a < b ? -1 : 1)))
}
