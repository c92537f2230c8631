/** The three places where settings are given. Each refuses names it does not know. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { MuslinError } from '../errors.ts'
import { didYouMean } from './nearest.ts'
import { flagName, OPTION_NAMES, OPTIONS, variableName } from './options.ts'
import type { GivenSettings, OptionName } from './settings.ts'
import { VARIABLE_PREFIX } from './upstream-table.ts'

/** Variables that are no settings: where the file is, and what commands use to reach a server. */
export const OTHER_VARIABLES = {
  MUSLIN_CONFIG: 'The settings file, as `--config` names it.',
  MUSLIN_SERVER: 'The server that commands talk to, as `--server` names it.',
  MUSLIN_TOKEN: 'The token that commands show to it, as `--token` names it.',
} as const

/** Values of the command line, by option name. */
export function fromFlags(flags: Record<string, unknown>): GivenSettings {
  return Object.fromEntries(OPTION_NAMES.filter((name) => flags[name] !== undefined)
    .map((name) => [name, { value: flags[name], from: flagName(name) }]))
}

/** Values of `MUSLIN_…` variables; an empty one counts as not set. */
export function fromEnvironment(env: Record<string, string | undefined>): GivenSettings {
  const names = new Map(OPTION_NAMES.filter((name) => !OPTIONS[name].fileOnly).map((name) => [variableName(name), name]))
  const given: GivenSettings = {}
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('MUSLIN_') || variable in OTHER_VARIABLES || value === undefined || value === '') continue
    // Of the tables of the file, and read with them.
    if (variable.startsWith(VARIABLE_PREFIX)) continue
    const name = names.get(variable)
    if (name === undefined) {
      throw new MuslinError('bad-settings', `no setting belongs to the environment variable ${variable}${didYouMean(variable, names.keys())}`)
    }
    given[name] = { value, from: variable }
  }
  return given
}

/** Values of the file that `--config` or MUSLIN_CONFIG names, else of `muslin.toml` in `cwd` if there is one. */
export function fromFile(flag: unknown, env: Record<string, string | undefined>, cwd: string): GivenSettings {
  const named = typeof flag === 'string' ? flag : env['MUSLIN_CONFIG'] || undefined
  const file = named ?? 'muslin.toml'
  const text = readText(resolve(cwd, file), file, named !== undefined)
  if (text === undefined) return {}
  const given: GivenSettings = {}
  for (const [key, value] of flatten(parseToml(text, file))) {
    if (!isOption(key)) {
      throw new MuslinError('bad-settings', `${file} sets ${key}, which is no setting${didYouMean(key, OPTION_NAMES)}`)
    }
    given[key] = { value, from: file }
  }
  return given
}

function readText(path: string, file: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !required) return undefined
    throw new MuslinError('bad-settings', `the settings file ${file} cannot be read (${code}); name another by --config or MUSLIN_CONFIG`, { cause: error })
  }
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new MuslinError('bad-settings', `${file} is no valid TOML: ${reason}`, { cause: error })
  }
}

/** `[limits] cpu` becomes `limits.cpu`; the table of an option that takes one stays whole. */
function flatten(table: Record<string, unknown>, prefix = ''): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]) => {
    const name = prefix + key
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    return isTable && !isOption(name) ? flatten(value as Record<string, unknown>, `${name}.`) : [[name, value] as [string, unknown]]
  })
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name)
}
