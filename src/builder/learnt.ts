/** What a build that worked taught: what must be known before the first try next time. */
import { parseWheelFilename } from '../domain/filename.ts'
import type { Recipe } from '../domain/recipe.ts'
import type { Learnt } from '../services/ports.ts'
import type { Carried } from './carry.ts'
import { withOptions } from './environment.ts'
import type { Ended } from './rounds.ts'
import type { Session } from './session.ts'

/** Undefined where the first round worked. `used`: the wheels that its environment was made from. */
export function learntFrom({ work }: Session, { conditions, changes, evidence }: Ended<unknown>, used: Carried[]): Learnt | undefined {
  if (changes.length === 0) return undefined
  const recipe: Partial<Recipe> = {}
  for (const change of changes) {
    switch (change.kind) {
      case 'apk': recipe.apks = [...recipe.apks ?? [], change.apk]; break
      case 'requires': recipe.requires = conditions.requires; break
      case 'env': recipe.env = { ...recipe.env, ...whole(withOptions({ ...work.recipe.env, ...recipe.env }, change.env), change.env) }; break
      // A recipe knows no dates: what there was then is named.
      case 'constraints': recipe.constraints = change.until === undefined ? [...recipe.constraints ?? [], ...change.constraints] : used.map(pin); break
    }
  }
  return { recipe, evidence }
}

/** Of the variables that changed, what they are with what the recipe said before, and changes before this one. */
function whole(environment: Record<string, string>, changed: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(changed).map((name) => [name, environment[name]!]))
}

function pin({ filename }: Carried): string {
  const { name, version } = parseWheelFilename(filename)!
  return `${name}==${version}`
}
