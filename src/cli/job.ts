import type { Command } from 'commander'
import { jobId } from './arguments.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { followJobs } from './follow-jobs.ts'
import { jobDetails } from './job-text.ts'
import { painter } from './styles.ts'

/** `muslin job ID`: all about one job; with `--follow` its log, from the first line until it ends. */
export function addJob(program: Command, context: Context): void {
  const command = program.command('job').description('Show a job: its steps, times, cause and remedy.')
    .argument('<ID>', 'The job\'s number.', jobId)
    .option('--follow', 'Print its log, from the first line until the job ends: with 0 when it was built, with 2 when not.')
  addServerFlags(command).action((id: number) => {
    const { follow = false, json = false } = command.opts<{ follow?: boolean; json?: boolean }>()
    return withServer(command, context, async (api) => {
      const job = await api.job(id)
      if (follow) return followJobs([job], { api, context, json, replay: true })
      const build = job.build === null ? undefined : await api.build(job.build)
      if (json) return context.print(JSON.stringify({ job, build: build ?? null }, null, 2))
      for (const line of jobDetails(job, build, { link: api.link, now: context.clock.now(), paint: painter(context) })) context.print(line)
    })
  })
}
