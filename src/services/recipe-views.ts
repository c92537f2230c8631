/** Recipes as people and programs are shown them. */
import { z } from 'zod'
import { APK_NAME } from '../domain/missing.ts'
import type { RecipeLayer } from '../domain/recipe.ts'
import { iso } from './job-views.ts'
import type { StoredRecipe } from './ports.ts'
import { inputOf, RecipeInput } from './recipe-schema.ts'

export const RecipeLayerView = z.object({
  ...RecipeInput.shape,
  id: z.number().int().nullable().describe('By it a recipe of this site is removed; null of a built-in one'),
  origin: z.enum(['built-in', 'learnt', 'site']),
  createdBy: z.string().nullable(),
  createdAt: z.iso.datetime().nullable(),
  evidence: z.unknown().describe('Of a learnt one: what failed in the builds that taught it, and what was done about it; else null'),
}).meta({ id: 'RecipeLayer' })
export type RecipeLayerView = z.infer<typeof RecipeLayerView>

export const RecipeList = z.object({
  recipes: z.array(RecipeLayerView).describe('Those of this site, by project'),
  builtIn: z.array(z.string()).describe('Projects that have a built-in one'),
}).meta({ id: 'Recipes' })
export type RecipeList = z.infer<typeof RecipeList>

export const ProjectRecipe = z.object({
  project: z.string(),
  layers: z.array(RecipeLayerView).describe('In the order in which they are merged: later ones go over earlier ones'),
}).meta({ id: 'ProjectRecipe' })
export type ProjectRecipe = z.infer<typeof ProjectRecipe>

export const RecipeText = z.strictObject({
  name: z.string().min(1).max(255).describe('Its file name, for messages'),
  text: z.string().max(1 << 20).describe('TOML, as docs/recipes.md tells'),
}).meta({ id: 'RecipeText' })
export type RecipeText = z.infer<typeof RecipeText>

export const SetRecipes = z.object({ recipes: z.array(RecipeLayerView) }).meta({ id: 'SetRecipes' })

export const MoreApks = z.strictObject({
  apks: z.array(z.string().max(100).regex(APK_NAME, { error: 'accepted: names of apks, such as libffi-dev' })).min(1).max(20),
}).meta({ id: 'MoreApks' })
export type MoreApks = z.infer<typeof MoreApks>

export function recipeView(layer: RecipeLayer | StoredRecipe): RecipeLayerView {
  const stored = 'id' in layer ? layer : undefined
  return {
    ...inputOf(layer), origin: layer.origin,
    id: stored?.id ?? null, createdBy: stored?.createdBy ?? null, createdAt: stored ? iso(stored.createdAt) : null, evidence: stored?.evidence ?? null,
  }
}

const ABOUT = new Set(['project', 'versions', 'targets', 'note', 'id', 'origin', 'createdBy', 'createdAt', 'evidence'])

/** What a recipe says, key by key. */
export function recipeSaid(layer: RecipeLayerView): [key: string, value: unknown][] {
  return Object.entries(layer).filter(([key]) => !ABOUT.has(key))
}

/** A value of a recipe on one line: of patches their names, of code its first line. */
export function briefly(value: unknown): string {
  if (value === '') return '""'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((each) => typeof each === 'object' && each !== null ? (each as { name: string }).name : String(each)).join(' ')
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([name, each]) => `${name}=${Array.isArray(each) ? each.join(',') : String(each)}`).join(' ')
  return String(value).split('\n')[0]!
}

/** What failed in the builds that taught a recipe, and what was done about it. */
export function lessons({ evidence }: RecipeLayerView): { failure: string; key: string; remedy: string }[] {
  return (Array.isArray(evidence) ? evidence as unknown[] : []).flatMap((one) => {
    const { failure, remedy } = one as { failure?: { class: string; key: string }; remedy?: string }
    return failure ? [{ failure: failure.class, key: failure.key, remedy: remedy ?? '' }] : []
  })
}
