/** Recipes as TOML: one file has what its top says, and a further one for each `[[recipe]]`. `docs/recipes.md` tells how to write them. */
import { parse, stringify } from 'smol-toml'
import type { z } from 'zod'
import type { RecipeLayer, RecipeOrigin } from '../domain/recipe.ts'
import { MuslinError } from '../errors.ts'
import { inputOf, layerOf, RecipeTable } from './recipe-schema.ts'

const MOST_BYTES = 1 << 20

/**
 * The recipes of a file, in its order. `file` is its name for messages; `project` is whose they are where the file does not say. Throws
 * `bad-recipe` that names file, key and what is accepted, for all of the file's faults at once.
 */
export function readRecipes(text: string, { file, origin, project }: { file: string; origin: RecipeOrigin; project?: string | undefined }): RecipeLayer[] {
  if (text.length > MOST_BYTES) throw new MuslinError('bad-recipe', `${file} is longer than 1 MB; give one file a project`)
  const { recipe: more = [], ...top } = parsed(text, file)
  if (!Array.isArray(more)) throw new MuslinError('bad-recipe', `${file}: recipe is no list of tables; write [[recipe]] above each`)
  const faults: string[] = []
  const layers: RecipeLayer[] = []
  const tables: [where: string, table: unknown][] = [...Object.keys(top).some((key) => key !== 'project') ? [['', top] as [string, unknown]] : [], ...more.map((table, index): [string, unknown] => [`recipe ${index + 1}, `, table])]
  for (const [where, table] of tables) {
    const read = RecipeTable.safeParse(table)
    const name = read.data?.project ?? (typeof top['project'] === 'string' ? top['project'] : undefined) ?? project
    if (!read.success) faults.push(...faultsOf(read.error).map((fault) => `${where}${fault}`))
    else if (name === undefined) faults.push(`${where}project is missing; accepted: a project's name`)
    else layers.push(layerOf({ ...read.data, project: name }, origin))
  }
  if (faults.length === 0 && layers.length === 0) faults.push('it holds no recipe')
  if (faults.length > 0) throw new MuslinError('bad-recipe', `${file}: ${faults.join('; ')}`)
  return layers
}

/** The file that gives these recipes again. `comments` stand above each. */
export function writeRecipes(layers: RecipeLayer[], comments: (layer: RecipeLayer) => string[] = () => []): string {
  return layers.map((layer) => {
    const said = comments(layer).map((line) => `# ${line.replaceAll(/[\r\n]+/g, ' ')}\n`).join('')
    return `${said}${stringify({ recipe: [inputOf(layer)] })}`
  }).join('\n')
}

function parsed(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text, { maxDepth: 20 })
  } catch (cause) {
    const { line } = cause as { line?: number }
    throw new MuslinError('bad-recipe', `${file}${line === undefined ? '' : `, line ${line}`}: it is no TOML: ${String((cause as Error).message).split('\n')[0]}`, { cause })
  }
}

/** `env.PATH belongs to the sandbox …`, one line each. */
function faultsOf(error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const at = issue.path.join('.')
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${at && `${at}.`}${key} is no key of a recipe; accepted: ${at === '' ? Object.keys(RecipeTable.shape).join(', ') : 'those of docs/recipes.md'}`)
    if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => `${at} ${message}`)
    return [`${at} ${issue.message.startsWith('accepted:') ? `cannot be used; ${issue.message}` : issue.message}`]
  })
}
