import { Option } from 'commander'
import type { Command } from 'commander'
import { flagName, OPTIONS } from '../config/options.ts'
import type { OptionName } from '../config/settings.ts'

/** Adds `--config` and the flags of these settings to a command. */
export function addSettingsFlags(command: Command, names: readonly OptionName[]): void {
  command.addOption(new Option('--config <FILE>', 'The settings file. Default: muslin.toml in the working folder, if there is one.'))
  for (const name of names.filter(hasFlag)) command.addOption(flag(name))
}

/** The values of those flags by the settings' names, as `loadSettings` takes them. */
export function givenFlags(command: Command, names: readonly OptionName[]): Record<string, unknown> {
  const values = command.opts()
  const given = names.filter(hasFlag).map((name) => [name, values[flag(name).attributeName()]])
  return { config: values['config'], ...Object.fromEntries(given) }
}

function hasFlag(name: OptionName): boolean {
  return !OPTIONS[name].fileOnly
}

function flag(name: OptionName): Option {
  const { kind, text } = OPTIONS[name]
  // A yes-or-no flag may stand alone.
  const option = new Option(`${flagName(name)} ${kind.placeholder === undefined ? '[yes|no]' : `<${kind.placeholder}>`}`, text)
  if (kind.repeatable) option.argParser((value: string, before: string[] | undefined) => [...before ?? [], value])
  return option
}
