import { type Command, Option } from 'commander'
import { normalizeName } from '../domain/names.ts'
import { limit } from './arguments.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { jobTable } from './job-text.ts'
import { painter } from './styles.ts'

/** `muslin jobs`: the queue and what became of it. */
export function addJobs(program: Command, context: Context): void {
  const command = program.command('jobs').description('List jobs, newest first.')
    .addOption(new Option('--state <STATE>', 'Only those in this state.').choices(['queued', 'running', 'built', 'failed', 'cancelled']))
    .option('--project <PROJECT>', 'Only those of this project.', normalizeName)
    .option('--limit <N>', 'At most so many.', limit, 50)
  addServerFlags(command).action(() => {
    const { state, project, limit: most, json } = command.opts<{ state?: string; project?: string; limit: number; json?: boolean }>()
    return withServer(command, context, async (api) => {
      const jobs = await api.jobs({ state, project, limit: most })
      if (json) context.print(JSON.stringify({ jobs }, null, 2))
      else for (const line of jobTable(jobs, context.clock.now(), painter(context))) context.print(line)
    })
  })
}
