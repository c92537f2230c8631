import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuiltInRecipes } from '../services/ports.ts'

/** `builders/` beside `src/`; the server's image keeps that order. */
const FOLDER = fileURLToPath(new URL('../../builders/recipes/', import.meta.url))
const ENDING = '.toml'

/** A folder of recipe files, named by their projects. Each is read when its project is asked for. */
export function createRecipeFiles({ folder = FOLDER }: { folder?: string } = {}): BuiltInRecipes {
  let names: Promise<Set<string>> | undefined

  return {
    projects: async () => [...await known()].sort(),
    async read(project) {
      // Most projects have none: for these no file is looked for.
      if (!(await known()).has(project)) return undefined
      const name = `${project}${ENDING}`
      return { name: `builders/recipes/${name}`, text: await readFile(join(folder, name), 'utf8') }
    },
  }

  function known(): Promise<Set<string>> {
    names ??= readdir(folder).then((files) => new Set(files.filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length))))
    return names
  }
}
