import type { Context } from 'koa'
import { z } from 'zod'
import { ADMIN } from '../../domain/job.ts'
import { projectNamed } from '../../domain/names.ts'
import { layerOf, RecipeInput } from '../../services/recipe-schema.ts'
import { ProjectRecipe, RecipeLayerView, RecipeList, RecipeText, recipeView, SetRecipes } from '../../services/recipe-views.ts'
import type { ApiDeps } from './deps.ts'
import { NumberInPath, route, type ApiRoute } from './route.ts'

/** Recipes: what projects need in order to build. */
export function recipeRoutes({ recipes }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/recipes', summary: 'The recipes of this site, and which projects have built-in ones', answer: { status: 200, schema: RecipeList },
      handle: async () => ({ recipes: (await recipes.list()).map(recipeView), builtIn: await recipes.builtIn() }),
    }),
    route({
      method: 'get', path: '/projects/{project}/recipe', summary: 'All recipes of a project, in the order in which they are merged', params: z.strictObject({ project: z.string() }),
      answer: { status: 200, schema: ProjectRecipe }, errors: ['bad-name'],
      async handle(_ctx, { params }) {
        const project = projectNamed(params.project)
        return { project, layers: (await recipes.show(project)).map(recipeView) }
      },
    }),
    route({
      method: 'post', path: '/recipes', admin: true, summary: 'Set a recipe, in the place of this site\'s for the same versions and targets', body: RecipeInput,
      answer: { status: 201, schema: RecipeLayerView },
      handle: async (_ctx, { body }) => recipeView(await recipes.set(layerOf(body, 'site'), ADMIN)),
    }),
    route({
      method: 'post', path: '/recipes/import', admin: true, summary: 'Set all recipes of a file', body: RecipeText, answer: { status: 201, schema: SetRecipes }, errors: ['bad-recipe'],
      handle: async (_ctx, { body }) => ({ recipes: (await recipes.import(body.text, body.name, ADMIN)).map(recipeView) }),
    }),
    route({
      method: 'get', path: '/recipes.toml', summary: 'The recipes of this site as a file, learnt ones too', query: z.strictObject({ project: z.string().optional().describe('Of this project alone') }),
      answer: { status: 200, types: { 'application/toml': 'As docs/recipes.md tells' } }, errors: ['bad-name'],
      handle: async (ctx, { query }) => toml(ctx, await recipes.export(query.project === undefined ? undefined : projectNamed(query.project))),
    }),
    route({
      method: 'delete', path: '/recipes/{id}', admin: true, summary: 'Take back a recipe of this site', params: NumberInPath, answer: { status: 200, schema: RecipeLayerView }, errors: ['no-such-recipe'],
      handle: async (_ctx, { params }) => recipeView(await recipes.remove(params.id)),
    }),
  ]
}

function toml(ctx: Context, text: string): undefined {
  ctx.status = 200
  ctx.set('Content-Type', 'application/toml; charset=utf-8')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.attachment('recipes.toml')
  ctx.body = text
}
