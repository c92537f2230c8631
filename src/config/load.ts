import { MuslinError } from '../errors.ts'
import { checkTogether } from './check.ts'
import type { Machine } from './machine.ts'
import { thisMachine } from './machine.ts'
import { OPTION_NAMES, OPTIONS } from './options.ts'
import type { FlatSettings, Given, GivenSettings, OptionName, Settings } from './settings.ts'
import { readUpstreamTables } from './upstream-table.ts'
import { fromEnvironment, fromFile, fromFlags } from './sources.ts'

export interface SettingsInput {
  /** By option name (`limits.cpu`), as the command line gave them; `config` names the file. */
  flags: Record<string, unknown>
  env: Record<string, string | undefined>
  /** Where `muslin.toml` is looked for. */
  cwd: string
  machine?: Machine
}

/**
 * The settings: flag, then environment, then file, then default. Throws `bad-settings`, which names the option, where it was
 * set, and what is accepted.
 */
export function loadSettings({ flags, env, cwd, machine = thisMachine() }: SettingsInput): Settings {
  const given: GivenSettings = { ...fromFile(flags['config'], env, cwd), ...fromEnvironment(env), ...fromFlags(flags) }
  const flat = Object.fromEntries(OPTION_NAMES.map((name) => [name, valueOf(name, given[name], machine)])) as unknown as FlatSettings
  return nest(checkTogether({ ...flat, upstreams: readUpstreamTables(given.upstreams, env) }, given))
}

function valueOf(name: OptionName, given: Given | undefined, machine: Machine): unknown {
  const option = OPTIONS[name]
  if (given === undefined) return option.fallback(machine)
  const result = option.kind.schema.safeParse(given.value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue && issue.path.length > 0) {
    const at = [name, ...issue.path].join('.')
    throw new MuslinError('bad-settings', `${at} is ${shown(valueAt(given.value, issue.path))}, set by ${given.from}; ${issue.message}`)
  }
  throw new MuslinError('bad-settings', `${name} is ${shown(given.value)}, set by ${given.from}; accepted: ${option.kind.accepts}`)
}

/** What stands at a place within a table; the whole where it is given as a text. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((within, key) => typeof within === 'object' && within !== null ? (within as Record<PropertyKey, unknown>)[key] : within, value)
}

/** A refused value, short, and without passwords. */
function shown(value: unknown): string {
  const text = JSON.stringify(value, (key, part: unknown) => typeof part === 'string' ? withoutSecrets(key, part) : part) ?? String(value)
  return text.slice(0, 80)
}

/** A refused URL may be none, and a password hold any character: all between the scheme and the last `@` could be one. */
function withoutSecrets(key: string, text: string): string {
  return key === 'username' || key === 'password' ? '[redacted]' : text.replace(/(:[/\\]*|[/\\]{2})[^]*@/, '$1[redacted]@')
}

function nest(flat: FlatSettings): Settings {
  const { 'limits.cpu': cpu, 'limits.memory': memory, 'limits.disk': disk, 'limits.time': time, ...rest } = flat
  return { ...rest, limits: { cpu, memory, disk, time } }
}
