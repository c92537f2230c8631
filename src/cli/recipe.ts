import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { MuslinError } from '../errors.ts'
import type { RecipeLayerView } from '../services/recipe-views.ts'
import { recipeId, several } from './arguments.ts'
import type { Api } from './api.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { addRecipeFlags, recipeInput } from './recipe-flags.ts'
import { layerName, projectRecipe, recipeTable } from './recipe-text.ts'
import { painter } from './styles.ts'

/** `muslin recipe show|list|set|export|import|remove`: what projects need in order to build. */
export function addRecipe(program: Command, context: Context): void {
  const group = program.command('recipe').description('Show and set recipes: what projects need in order to build.')
  const add = (words: string, description: string): Command => addServerFlags(group.command(words).description(description))
  const on = (command: Command, work: (api: Api) => Promise<void>): Promise<void> => withServer(command, context, work)
  const told = (command: Command, document: unknown, lines: () => string[]): void => {
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify(document, null, 2))
    else for (const line of lines()) context.print(line)
  }
  const toldSet = (command: Command, recipes: RecipeLayerView[]): void => told(command, { recipes }, () => recipes.map((one) => `recipe ${one.id} is set: ${layerName(one)}`))

  const show = add('show <PROJECT>', 'Show all recipes of a project: the built-in ones, what builds taught, and those of this site.')
  show.action((project: string) => on(show, async (api) => {
    const found = await api.recipe(project)
    told(show, found, () => projectRecipe(found, context.clock.now(), painter(context)))
  }))

  const list = add('list', 'List the recipes of this site, learnt ones too.')
  list.action(() => on(list, async (api) => {
    const found = await api.recipes()
    told(list, found, () => recipeTable(found, context.clock.now(), painter(context)))
  }))

  const set = addRecipeFlags(add('set <PROJECT|FILE.toml>', 'Set a recipe by flags or by a file, in the place of this site\'s for the same versions and targets.'))
  set.action((what: string) => on(set, async (api) => {
    const input = recipeInput(set, what)
    toldSet(set, input === undefined ? await api.importRecipes(await readText(what, context)) : [await api.setRecipe(input)])
  }))

  const give = add('export [PROJECT]', 'Print the recipes of this site as TOML, learnt ones too.')
  give.action((project: string | undefined) => on(give, async (api) => {
    const text = await api.exportRecipes(project)
    told(give, { toml: text }, () => text === '' ? [] : text.trimEnd().split('\n'))
  }))

  const take = add('import', 'Set all recipes of files, as export prints them.').argument('<FILE...>', 'TOML files; - reads standard input.', several)
  take.action((files: string[]) => on(take, async (api) => {
    const texts = await Promise.all(files.map((file) => readText(file, context)))
    const recipes: RecipeLayerView[] = []
    for (const text of texts) recipes.push(...await api.importRecipes(text))
    toldSet(take, recipes)
  }))

  const remove = add('remove', 'Take back a recipe of this site, a learnt one too.').argument('<ID>', 'Its number, as list prints it.', recipeId)
  remove.action((id: number) => on(remove, async (api) => {
    const removed = await api.removeRecipe(id)
    told(remove, removed, () => [`recipe ${id} is gone: ${layerName(removed)}`])
  }))
}

async function readText(file: string, { cwd, read }: Context): Promise<{ name: string; text: string }> {
  if (file === '-') return { name: 'standard input', text: Buffer.from(await read()).toString() }
  try {
    return { name: basename(file), text: await readFile(resolve(cwd, file), 'utf8') }
  } catch (error) {
    throw new MuslinError('bad-recipe', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}); check the path`, { cause: error })
  }
}
