import type { Command } from 'commander'
import { loadSettings } from '../config/load.ts'
import type { OptionName } from '../config/settings.ts'
import type { Upkeep } from '../services/upkeep.ts'
import type { Context } from './context.ts'
import { addSettingsFlags, givenFlags } from './settings-flags.ts'

const SETTINGS: readonly OptionName[] = ['data']

/** Adds the flags that name a data folder. */
export function addDataFlags(command: Command): Command {
  addSettingsFlags(command, SETTINGS)
  return command.option('--json', 'Print one JSON document, also of an error; progress goes to standard error.')
}

/** What is done to the data folder that the flags and the environment name. */
export function openUpkeep(command: Command, context: Context): Promise<Upkeep> {
  const { env, cwd, clock } = context
  return context.upkeep(loadSettings({ flags: givenFlags(command, SETTINGS), env, cwd }), { log: context.createLog('warn'), clock, cwd })
}
