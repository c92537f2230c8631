import type { JobView } from '../services/views.ts'
import type { Api } from './api.ts'
import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { followJob, hasEnded } from './follow.ts'
import { untilInterrupted } from './interrupt.ts'
import { jobName, outcome } from './job-text.ts'
import { painter, showsColours } from './styles.ts'

/**
 * Follows jobs to their end, one log after the other, and says how each ended; with `json` the logs go to standard error, and one
 * document says it all. Ends with 2 where one was not built. `replay`: the logs of jobs that have ended are printed too.
 */
export async function followJobs(jobs: JobView[], { api, context, json, replay }: { api: Api; context: Context; json: boolean; replay: boolean }): Promise<void> {
  const paint = painter(context, json ? 'error' : 'output')
  const print = json ? context.warn : context.print
  const ended: JobView[] = []
  const goesOn = (): string[] => jobs.slice(ended.length).filter((job) => !hasEnded(job)).map(({ id }) =>
    `job ${id} goes on at the server: muslin job ${id} --follow shows it, muslin cancel ${id} ends it`)

  await untilInterrupted(context, goesOn, async (signal) => {
    for (const job of jobs) {
      if (!hasEnded(job)) context.warn(painter(context, 'error')('bold', `job ${job.id}: ${jobName(job)}, ${api.link(`ui/jobs/${job.id}`)}`))
      const follow = { api, clock: context.clock, signal, print, note: context.warn, colours: showsColours(context, json ? 'error' : 'output') }
      const end = hasEnded(job) && !replay ? job : await followJob(job.id, follow)
      ended.push(end)
      for (const line of outcome(end, api.link, paint)) print(line)
    }
  })
  if (json) context.print(JSON.stringify({ jobs: ended }, null, 2))
  if (ended.some((job) => job.state !== 'built')) throw new Ending(EXIT.failed)
}
