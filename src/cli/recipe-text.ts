/** Recipes in the words of the command line. */
import { briefly, lessons, type ProjectRecipe, type RecipeLayerView, type RecipeList, recipeSaid } from '../services/recipe-views.ts'
import { count, distance, table } from './format.ts'
import type { Paint } from './styles.ts'

/** `cffi >=1 on cp313-*`. */
export function layerName({ project, versions, targets }: Pick<RecipeLayerView, 'project' | 'versions' | 'targets'>): string {
  return [project, ...versions === undefined ? [] : [versions], ...targets === undefined ? [] : [`on ${targets.join(', ')}`]].join(' ')
}

/** Layer by layer, as they are merged. */
export function projectRecipe({ project, layers }: ProjectRecipe, now: number, paint: Paint): string[] {
  if (layers.length === 0) return [`${project} has no recipe; muslin recipe set ${project} --apk NAME makes one`]
  return layers.flatMap((layer, at) => [
    ...at === 0 ? [] : [''],
    `${paint('bold', layer.origin)}${layer.id === null ? '' : ` (${layer.id})`}  ${layerName(layer)}${by(layer, now)}`,
    ...table([...layer.note === undefined ? [] : [['', paint('dim', 'note'), layer.note]], ...said(layer).map(([key, value]) => ['', paint('dim', key), value])]),
    ...lessons(layer).map(({ failure, key, remedy }) => `  ${paint('dim', 'since')}  ${failure} ${key}: ${remedy}`),
  ])
}

/** The recipes of this site. */
export function recipeTable({ recipes, builtIn }: RecipeList, now: number, paint: Paint): string[] {
  const head = ['id', 'origin', 'recipe', 'says', 'made'].map((title) => paint('dim', title))
  const rows = recipes.map((one) => [String(one.id), one.origin, layerName(one), said(one).map(([key, value]) => `${key} ${value}`).join('; '), by(one, now).trim()])
  const rest = `${count(builtIn.length, 'project')} have a built-in one; muslin recipe show PROJECT shows all of a project`
  return [...recipes.length === 0 ? ['this site has no recipe of its own'] : table([head, ...rows], { right: [0] }), '', rest]
}

function said(layer: RecipeLayerView): [key: string, value: string][] {
  return recipeSaid(layer).map(([key, value]) => [key, briefly(value)])
}

function by({ createdBy, createdAt }: RecipeLayerView, now: number): string {
  return createdAt === null ? '' : `  ${distance(Date.parse(createdAt), now)} by ${createdBy}`
}
