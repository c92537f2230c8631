import type { Command } from 'commander'
import type { Prebuild } from '../services/views.ts'
import type { Api } from './api.ts'
import { addServerFlags, withServer } from './connection.ts'
import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { untilInterrupted } from './interrupt.ts'
import { lookUntil, patiently } from './patience.ts'
import { addPlanFlags, planRequest } from './plan-request.ts'
import { failures, missing, opening, summary } from './prebuild-text.ts'
import { createProgress } from './progress.ts'
import { painter } from './styles.ts'

/** `muslin prebuild FILE…`: queues what the plan would build. */
export function addPrebuild(program: Command, context: Context): void {
  const command = program.command('prebuild').description('Build what a lock file needs and no index has: queue all that its plan would build.')
  addPlanFlags(command)
    .option('--wait', 'Show the progress until all builds have ended; end with 2 when one failed, or when something can be neither fetched nor built.')
    .option('--allow-missing', 'With --wait: end with 0 although something cannot be had. A build that fails, or failed before, still ends it with 2.')
  addServerFlags(command).action((files: string[]) => withServer(command, context, async (api) => {
    const { wait = false, allowMissing = false, json = false } = command.opts<{ wait?: boolean; allowMissing?: boolean; json?: boolean }>()
    const print = (lines: string[]): void => { for (const line of lines) (json ? context.warn : context.print)(line) }
    const paint = painter(context, json ? 'error' : 'output')

    const begun = await api.startPrebuild(await planRequest(command, files, context))
    print([...opening(begun, paint), api.link(`ui/prebuilds/${begun.id}`)])
    const end = wait && !begun.finished ? await waitFor(begun, api, context) : begun
    print([...wait ? failures(end, api.link, paint) : [], summary(end)])
    if (json) context.print(JSON.stringify(end, null, 2))
    // What cannot be had and has a job is what failed in an earlier run: to accept what is missing is not to accept that.
    if (wait && (end.failed > 0 || missing(end.lines).some(({ job }) => !allowMissing || job !== null))) throw new Ending(EXIT.failed)
  }))
}

async function waitFor({ id }: Prebuild, api: Api, context: Context): Promise<Prebuild> {
  const goesOn = (): string[] => [`prebuild ${id} goes on at the server: ${api.link(`ui/prebuilds/${id}`)} shows it, muslin jobs lists its jobs, muslin cancel ID… ends them`]
  const progress = createProgress(context)
  return untilInterrupted(context, goesOn, async (signal) => {
    const waiting = { api, clock: context.clock, signal }
    try {
      return await lookUntil(waiting, async () => {
        const prebuild = await patiently(() => api.prebuild(id, signal), waiting)
        progress.show(prebuild)
        return prebuild.finished ? prebuild : undefined
      })
    } finally {
      progress.clear()
    }
  })
}
