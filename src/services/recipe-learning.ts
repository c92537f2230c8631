import { mergeRecipes, type Recipe, type RecipeLayer } from '../domain/recipe.ts'
import type { StoredRecipe } from './ports.ts'
import { withoutEmpty } from './recipe-digest.ts'

/** Of the newest builds. */
const MOST_EVIDENCE = 20

type Learnt = Pick<RecipeLayer, 'project' | 'recipe' | 'note'> & { evidence: unknown }

/**
 * What a project's learnt recipe is with what builds found out now: for all its releases and targets, united with what they found out
 * before. Undefined where that is nothing new: it is known, it is built in, or a person wrote about it, whatever that was.
 */
export function learntLayer({ project, recipe, note, evidence }: Learnt, stored: StoredRecipe[], builtIn: RecipeLayer[]): Omit<StoredRecipe, 'id' | 'createdBy' | 'createdAt'> | undefined {
  const earlier = stored.filter(({ origin }) => origin === 'learnt')
  const site = stored.filter(({ origin }) => origin === 'site')
  // Built-in ones for some releases alone say nothing of the others.
  const known = [...builtIn.filter(({ versions, targets }) => versions === undefined && targets === undefined), ...earlier, ...site]
  const news = known.reduce((left, layer) => without(left, layer.recipe), withoutEmpty(recipe))
  if (Object.keys(news).length === 0) return undefined
  const layer = { project, versions: undefined, targets: undefined, origin: 'learnt' as const }
  const merged = mergeRecipes([...earlier.map((one) => ({ ...layer, recipe: one.recipe, note: undefined })), { ...layer, recipe: news, note }], '0', '')
  const proofs = [...earlier.flatMap((one) => one.evidence ?? []), ...[evidence].flat()]
  return { ...layer, recipe: withoutEmpty(merged), note: note ?? earlier.at(-1)?.note, evidence: proofs.slice(-MOST_EVIDENCE) }
}

/** What of a recipe another one leaves open: entries of lists that it neither has nor takes out, names that it sets to nothing else. */
function without(recipe: Partial<Recipe>, other: Partial<Recipe>): Partial<Recipe> {
  return withoutEmpty(Object.fromEntries(Object.entries(recipe).map(([key, value]) => [key, open(key, value, other[key as keyof Recipe])])))
}

function open(key: string, value: unknown, said: unknown): unknown {
  if (said === undefined) return value
  if (key === 'requires') return undefined
  if (Array.isArray(value) && Array.isArray(said)) {
    const names = new Set(said.map((entry) => nameOf(entry).replace(/^!/, '')))
    return value.filter((entry) => !names.has(nameOf(entry)))
  }
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).filter(([name]) => !Object.hasOwn(said as object, name)))
  return undefined
}

/** Of an entry of a list; patches are known by their names. */
function nameOf(entry: unknown): string {
  return typeof entry === 'object' ? String((entry as { name: string }).name) : String(entry)
}
