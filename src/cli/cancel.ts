import type { Command } from 'commander'
import { jobIds } from './arguments.ts'
import { changeEach } from './change-each.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { errorDocument } from './error-document.ts'
import { jobName } from './job-text.ts'

/** `muslin cancel ID…`: ends queued and running jobs. */
export function addCancel(program: Command, context: Context): void {
  const command = program.command('cancel').description('End queued or running jobs. They are not started again until somebody retries them.')
    .argument('<ID...>', 'The jobs\' numbers.', jobIds)
  addServerFlags(command).action((ids: number[]) => withServer(command, context, async (api) => {
    const { changed, refusal } = await changeEach(ids, (id) => api.cancel(id), context)
    if (command.opts<{ json?: boolean }>().json) context.print(JSON.stringify({ jobs: changed, ...refusal && { error: errorDocument(refusal) } }, null, 2))
    else for (const job of changed) context.print(`job ${job.id} is cancelled: ${jobName(job)}`)
    if (refusal) throw refusal
  }))
}
