import type { Command } from 'commander'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { followPrebuild } from './follow-prebuild.ts'
import { planText } from './plan-text.ts'
import { painter } from './styles.ts'

/** `muslin rebuild --target NEW --like OLD`: builds for a new target what an old one uses. */
export function addRebuild(program: Command, context: Context): void {
  const command = program.command('rebuild')
    .description('Build for a target all that another one uses: what was built for it here, and what its clients were sent. The most wanted goes first, and what the upstream has is left out.')
    .requiredOption('--target <NEW>', 'For which target, such as that of a new Python.')
    .requiredOption('--like <OLD>', 'The target that is in use already.')
    .option('--dry-run', 'Tell what would be built; nothing is started.')
    .option('--wait', 'Show the progress until all builds have ended; end with 2 when one failed.')
  addServerFlags(command).action(() => withServer(command, context, async (api) => {
    const { target, like, dryRun = false, wait = false, json = false } = command.opts<{ target: string; like: string; dryRun?: boolean; wait?: boolean; json?: boolean }>()
    if (!dryRun) return followPrebuild(await api.startRebuild({ target, like }), { wait, allowMissing: true, json }, api, context)
    const plan = await api.planRebuild({ target, like })
    if (json) context.print(JSON.stringify(plan, null, 2))
    else for (const line of planText(plan, painter(context))) context.print(line)
  }))
}
