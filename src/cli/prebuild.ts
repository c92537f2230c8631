import type { Command } from 'commander'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { followPrebuild } from './follow-prebuild.ts'
import { addPlanFlags, planRequest } from './plan-request.ts'

/** `muslin prebuild FILE…`: queues what the plan would build. */
export function addPrebuild(program: Command, context: Context): void {
  const command = program.command('prebuild').description('Build what a lock file needs and no index has: queue all that its plan would build.')
  addPlanFlags(command)
    .option('--wait', 'Show the progress until all builds have ended; end with 2 when one failed, or when something can be neither fetched nor built.')
    .option('--allow-missing', 'With --wait: end with 0 although something cannot be had. A build that fails, or failed before, still ends it with 2.')
  addServerFlags(command).action((files: string[]) => withServer(command, context, async (api) => {
    const { wait = false, allowMissing = false, json = false } = command.opts<{ wait?: boolean; allowMissing?: boolean; json?: boolean }>()
    const begun = await api.startPrebuild(await planRequest(command, files, context))
    await followPrebuild(begun, { wait, allowMissing, json }, api, context)
  }))
}
