import type { Command } from 'commander'
import { loadSettings } from '../config/load.ts'
import type { OptionName } from '../config/settings.ts'
import type { Check, Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { table } from './format.ts'
import { addSettingsFlags, givenFlags } from './settings-flags.ts'
import { type Paint, painter, paintState } from './styles.ts'

const SETTINGS: readonly OptionName[] = [
  'data', 'host', 'port', 'upstream', 'upstreamCa', 'allowedFileHosts', 'targets', 'builder', 'engines', 'python', 'isolation', 'builderImages', 'cleanImages',
]

/** `muslin doctor`: what a server with these settings needs, and what helps where it is missing. */
export function addDoctor(program: Command, context: Context): void {
  const command = program.command('doctor').description('Check what a server with these settings needs: one line each, with a remedy. Ends with 1 when something fails.')
    .option('--json', 'Print one JSON document.')
  addSettingsFlags(command, SETTINGS)
  command.action(async () => {
    const { env, cwd, clock } = context
    const settings = loadSettings({ flags: givenFlags(command, SETTINGS), env, cwd })
    const checks = await context.doctor(settings, { log: context.createLog('silent'), clock })
    const ok = checks.every(({ state }) => state !== 'fail')
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify({ ok, checks: checks.map((check) => ({ ...check, remedy: check.remedy ?? null })) }, null, 2))
    else for (const line of checkLines(checks, painter(context))) context.print(line)
    if (!ok) throw new Ending(EXIT.internal)
  })
}

function checkLines(checks: Check[], paint: Paint): string[] {
  return table(checks.map(({ state, name, found, remedy }) => [paintState(paint, state), name, remedy === undefined ? found : `${found} — ${remedy}`]))
}
