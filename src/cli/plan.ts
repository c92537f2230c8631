import type { Command } from 'commander'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { planText } from './plan-text.ts'
import { addPlanFlags, planRequest } from './plan-request.ts'
import { painter } from './styles.ts'

/** `muslin plan FILE…`: what a lock file's pins would be, on each target. Nothing is built. */
export function addPlan(program: Command, context: Context): void {
  const command = program.command('plan').description('Tell what would be built for a lock file: each pin on each target. Nothing is started.')
  addServerFlags(addPlanFlags(command)).action((files: string[]) => withServer(command, context, async (api) => {
    const plan = await api.plan(await planRequest(command, files, context))
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify(plan, null, 2))
    else for (const line of planText(plan, painter(context))) context.print(line)
  }))
}
