import type { Command } from 'commander'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { planText, runtimeApksText } from './plan-text.ts'
import { addPlanFlags, planRequest } from './plan-request.ts'
import { causes, missing } from './prebuild-text.ts'
import { painter } from './styles.ts'

/** `muslin plan FILE…`: what a lock file's pins would be, on each target. Nothing is built. */
export function addPlan(program: Command, context: Context): void {
  const command = program.command('plan').description('Tell what would be built for a lock file: each pin on each target. Nothing is started.')
  addPlanFlags(command).option('--check', 'End with 2 when something can be neither fetched nor built.')
    .option('--runtime-apks', 'Tell too which apks the image of its users must hold; the last line is ready to paste.')
  addServerFlags(command).action((files: string[]) => withServer(command, context, async (api) => {
    const plan = await api.plan(await planRequest(command, files, context))
    const { check = false, json = false, runtimeApks = false } = command.opts<{ check?: boolean; json?: boolean; runtimeApks?: boolean }>()
    const paint = painter(context)
    if (json) context.print(JSON.stringify(plan, null, 2))
    else for (const line of [...planText(plan, paint), ...runtimeApks ? runtimeApksText(plan, paint) : []]) context.print(line)
    const cannot = missing(plan.lines)
    if (!check || cannot.length === 0) return
    context.warn(`muslin: ${cannot.length} cannot be had: ${causes(cannot)}`)
    throw new Ending(EXIT.failed)
  }))
}
