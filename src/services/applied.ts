import { layersFor, mergeRecipes, type Recipe, type RecipeLayer } from '../domain/recipe.ts'
import { recipeDigest } from './recipe-digest.ts'

/** What applies to one release on one target. `digest` is a part of its jobs' keys: the empty string where nothing applies. */
export interface Applied { recipe: Recipe; digest: string; layers: RecipeLayer[] }

export type AppliedTo = (version: string, target: string) => Applied

/** What a project's layers, in the order in which they are merged, say of each release on each target. */
export function applying(layers: RecipeLayer[]): AppliedTo {
  // Hundreds of releases have few different recipes: each is merged and hashed once.
  const known = new Map<string, Applied>()
  return (version, target) => {
    const fitting = layersFor(layers, version, target)
    const key = fitting.map((layer) => layers.indexOf(layer)).join()
    const found = known.get(key)
    if (found) return found
    const recipe = mergeRecipes(fitting, version, target)
    const applied = { recipe, digest: recipeDigest(recipe), layers: fitting }
    known.set(key, applied)
    return applied
  }
}
