import { mergeRecipes, type Recipe, type RecipeLayer } from '../domain/recipe.ts'
import type { StoredRecipe } from './ports.ts'
import { withoutEmpty } from './recipe-digest.ts'

/** What a build of one release for one target found out; `evidence` is plain JSON. */
export interface Lesson { project: string; version: string; target: string; recipe: Partial<Recipe>; note: string | undefined; evidence: unknown }

/** A recipe to be kept in the place of the learnt ones with the same versions and targets. */
export type Learnt = Omit<StoredRecipe, 'id' | 'createdBy' | 'createdAt'>

/** Of the newest builds. */
const MOST_EVIDENCE = 20

/**
 * What a project's learnt recipes are with a new lesson: which apks it needs is true of all its releases, all else (lenient compilers, another
 * requirement) of the one that was built, and what its build requirements are held to of its Python too: newer ones run on no older
 * requirements. None where nothing is new: it is known, it is built in, or a person wrote about it,
 * whatever that was.
 */
export function learntRecipes({ recipe: { apks = [], runtimeApks = [], constraints = [], ...rest }, ...lesson }: Lesson, stored: StoredRecipe[], builtIn: RecipeLayer[]): Learnt[] {
  const versions = `==${lesson.version}`
  const parts: [Scope, Partial<Recipe>][] = [
    [{ versions: undefined, targets: undefined }, { apks, runtimeApks }], [{ versions, targets: undefined }, rest],
    [{ versions, targets: [`${lesson.target.split('-')[0]}-*`] }, { constraints }],
  ]
  return parts.flatMap(([scope, recipe]) => learntFor(scope, { ...lesson, recipe }, stored, builtIn) ?? [])
}

type Scope = Pick<RecipeLayer, 'versions' | 'targets'>

function learntFor(scope: Scope, { project, recipe, note, evidence }: Lesson, stored: StoredRecipe[], builtIn: RecipeLayer[]): Learnt | undefined {
  const earlier = stored.filter((one) => one.origin === 'learnt' && one.versions === scope.versions && isSame(one.targets, scope.targets))
  // What is said for some targets alone says nothing of the others.
  const known = [...builtIn, ...earlier].filter(({ versions, targets }) =>
    (targets === undefined || isSame(targets, scope.targets)) && (versions === undefined || versions === scope.versions))
  const site = stored.filter(({ origin }) => origin === 'site')
  const news = [...known, ...site].reduce((left, layer) => without(left, layer.recipe), withoutEmpty(recipe))
  if (Object.keys(news).length === 0) return undefined
  const base = { project, versions: undefined, targets: undefined, origin: 'learnt' as const, note: undefined }
  const merged = mergeRecipes([...earlier.map((one) => ({ ...base, recipe: one.recipe })), { ...base, recipe: news }], '0', '')
  const proofs = [...earlier.flatMap((one) => one.evidence ?? []), ...[evidence].flat()]
  return { ...base, ...scope, recipe: withoutEmpty(merged), note: note ?? earlier.at(-1)?.note, evidence: proofs.slice(-MOST_EVIDENCE) }
}

function isSame(targets: string[] | undefined, others: string[] | undefined): boolean {
  return JSON.stringify(targets) === JSON.stringify(others)
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
  return typeof entry === 'string' ? entry : (entry as { name: string }).name
}
