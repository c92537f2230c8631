import type { Command } from 'commander'
import type { GcReport } from '../services/gc.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { openUpkeep } from './data-flags.ts'
import { count, size } from './format.ts'

/** `muslin gc`: removes what nothing needs; by the server where one runs. */
export function addGc(program: Command, context: Context): void {
  const command = program.command('gc')
    .description('Remove stored bytes that nothing needs any more, and files of the upstream beyond cacheSize. By the server where one runs, else on the data folder itself.')
    .option('--dry-run', 'Only say what would go.')
  addServerFlags(command).action(async () => {
    const { dryRun = false, json = false, server } = command.opts<{ dryRun?: boolean; json?: boolean; server?: string }>()
    const report = await collect({ dryRun, remote: server !== undefined || Boolean(context.env['MUSLIN_SERVER']) })
    if (json) context.print(JSON.stringify(report, null, 2))
    else for (const line of linesOf(report)) context.print(line)
  })

  async function collect({ dryRun, remote }: { dryRun: boolean; remote: boolean }): Promise<GcReport> {
    const upkeep = remote ? undefined : await openUpkeep(command, context)
    if (upkeep && !upkeep.busy()) return upkeep.gc({ dryRun })
    return withServer(command, context, (api) => api.gc({ dryRun }))
  }
}

function linesOf({ dryRun, unused, cache, drafts, logs }: GcReport): string[] {
  const verb = dryRun ? 'would go' : 'went'
  return [
    `${size(unused.bytes + cache.bytes)} ${dryRun ? 'would be freed' : 'freed'}`,
    `${count(unused.files, 'blob')} that nothing refers to ${verb} (${size(unused.bytes)})`,
    `${count(cache.files, 'file')} of the upstream ${verb} for cacheSize (${size(cache.bytes)})`,
    `${count(drafts, 'draft')} and ${count(logs, 'log')} of what is no more ${verb}`,
  ]
}
