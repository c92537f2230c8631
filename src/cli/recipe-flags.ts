/** A recipe as the flags of `recipe set` say it; the server judges it. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { MuslinError } from '../errors.ts'
import type { RecipeInput } from '../services/recipe-schema.ts'
import { several } from './arguments.ts'

type Pair = [name: string, value: string]

interface Flags {
  apk?: string[]; runtimeApk?: string[]; env?: Pair[]; configSetting?: Pair[]; constraint?: string[]; requires?: string[]; exclude?: string[]
  versions?: string; target?: string[]; note?: string; check?: string; limit?: Pair[]; network?: boolean; expected?: 'native' | 'pure'; skip?: string
}

export function addRecipeFlags(command: Command): Command {
  return command
    .option('--apk <APK>', 'Installed into the builder image first; may be given several times. !APK takes one of earlier recipes out.', several)
    .option('--runtime-apk <APK>', 'What the image of the wheel\'s users must hold; may be given several times.', several)
    .option('--env <NAME=VALUE>', 'A variable for the build; may be given several times.', pairs)
    .option('--config-setting <NAME=VALUE>', 'For the build backend; the same name twice makes a list.', pairs)
    .option('--constraint <SPECIFIER>', 'What build requirements are held to, such as "cython<3"; may be given several times.', several)
    .option('--requires <REQUIREMENT>', 'A build requirement in the place of the sdist\'s own; may be given several times.', several)
    .option('--exclude <LIBRARY>', 'A library that is left out of the wheel, such as "libfoo.so.*"; may be given several times.', several)
    .option('--versions <SPECIFIER>', 'For these releases alone, such as ">=2,<3".')
    .option('--target <PATTERN>', 'For these targets alone; * stands for any characters; may be given several times.', several)
    .option('--check <CODE>', 'Python code that must run where the wheel is tried.')
    .option('--limit <NAME=VALUE>', 'cpu, memory, disk or time in the place of the settings\' limit: memory=8g; may be given several times.', pairs)
    .option('--network', 'The build may use the network.').option('--no-network', 'It may not, whatever earlier recipes say.')
    .option('--expected <KIND>', 'native or pure: what comes out.')
    .option('--skip <REASON>', 'It is not built at all; an empty reason lifts an earlier one.')
    .option('--note <TEXT>', 'Why, for people.')
}

/** Undefined where a file is named instead of a project. Throws `bad-recipe` where flags come with a file, or neither says anything. */
export function recipeInput(command: Command, what: string): RecipeInput | undefined {
  const { apk, runtimeApk, env, configSetting, constraint, requires, exclude, versions, target, note, check, limit, network, expected, skip } = command.opts<Flags>()
  const said = {
    ...apk && { apks: apk }, ...runtimeApk && { runtimeApks: runtimeApk }, ...env && { env: Object.fromEntries(env) }, ...configSetting && { configSettings: settings(configSetting) },
    ...constraint && { constraints: constraint }, ...requires && { requires }, ...exclude && { exclude }, ...check !== undefined && { check }, ...limit && { limits: Object.fromEntries(limit) },
    ...network !== undefined && { network }, ...expected && { expected }, ...skip !== undefined && { skip },
  }
  const about = { ...versions !== undefined && { versions }, ...target && { targets: target }, ...note !== undefined && { note } }
  if (what === '-' || what.endsWith('.toml')) {
    if (Object.keys({ ...said, ...about }).length > 0) throw new MuslinError('bad-recipe', `${what} says all about its recipes; leave the flags out, or name a project`)
    return undefined
  }
  if (Object.keys(said).length === 0) throw new MuslinError('bad-recipe', `nothing is said about ${what}; muslin recipe set --help has the flags, such as --apk libffi-dev`)
  return { project: what, ...about, ...said }
}

function pairs(word: string, before: Pair[] | undefined): Pair[] {
  const at = word.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('accepted: NAME=VALUE.')
  return [...before ?? [], [word.slice(0, at), word.slice(at + 1)]]
}

function settings(given: Pair[]): Record<string, string | string[]> {
  return Object.fromEntries([...Map.groupBy(given, ([name]) => name)].map(([name, all]) => [name, all.length === 1 ? all[0]![1] : all.map(([, value]) => value)]))
}
