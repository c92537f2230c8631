import type { Command } from 'commander'
import { jobIds } from './arguments.ts'
import { changeEach } from './change-each.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { errorDocument } from './error-document.ts'
import { followJobs } from './follow-jobs.ts'
import { jobName } from './job-text.ts'

/** `muslin retry ID…`: queues failed and cancelled jobs again. */
export function addRetry(program: Command, context: Context): void {
  const command = program.command('retry').description('Queue failed or cancelled jobs again.')
    .argument('<ID...>', 'The jobs\' numbers.', jobIds)
    .option('--follow', 'Print their logs until they end: with 0 when all were built, with 2 when not.')
  addServerFlags(command).action((ids: number[]) => withServer(command, context, async (api) => {
    const { follow = false, json = false } = command.opts<{ follow?: boolean; json?: boolean }>()
    const { changed, refusal } = await changeEach(ids, (id) => api.retry(id), context)
    if (follow && !refusal) return followJobs(changed, { api, context, json, replay: true })
    if (json) context.print(JSON.stringify({ jobs: changed, ...refusal && { error: errorDocument(refusal) } }, null, 2))
    else for (const job of changed) context.print(`job ${job.id} is queued again: ${jobName(job)}; muslin job ${job.id} --follow shows it`)
    if (refusal) throw refusal
  }))
}
