/** Recipes in the words of the command line. */
import type { ProjectRecipe, RecipeLayerView, RecipeList } from '../services/recipe-views.ts'
import { count, distance, table } from './format.ts'
import type { Paint } from './styles.ts'

const ABOUT = new Set(['project', 'versions', 'targets', 'note', 'id', 'origin', 'createdBy', 'createdAt', 'evidence'])

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
    ...evidence(layer).map((line) => `  ${paint('dim', 'since')}  ${line}`),
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
  return Object.entries(layer).filter(([key]) => !ABOUT.has(key)).map(([key, value]) => [key, shown(value)])
}

function shown(value: unknown): string {
  if (value === '') return '""'
  if (typeof value === 'string') return value.split('\n')[0]!
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((each) => typeof each === 'object' && each !== null ? (each as { name: string }).name : String(each)).join(' ')
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([name, each]) => `${name}=${Array.isArray(each) ? each.join(',') : String(each)}`).join(' ')
  return String(value)
}

function by({ createdBy, createdAt }: RecipeLayerView, now: number): string {
  return createdAt === null ? '' : `  ${distance(Date.parse(createdAt), now)} by ${createdBy}`
}

/** What failed in the builds that taught it, and what was done about it. */
function evidence({ evidence: all }: RecipeLayerView): string[] {
  return (Array.isArray(all) ? all as unknown[] : []).flatMap((one) => {
    const { failure, remedy } = one as { failure?: { class?: unknown; key?: unknown }; remedy?: unknown }
    return failure ? [`${String(failure.class)} ${String(failure.key)}: ${String(remedy)}`] : []
  })
}
