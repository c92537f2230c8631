import type { Prebuild } from '../services/views.ts'
import type { Api } from './api.ts'
import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'
import { untilInterrupted } from './interrupt.ts'
import { lookUntil, patiently } from './patience.ts'
import { failures, missing, opening, summary } from './prebuild-text.ts'
import { createProgress } from './progress.ts'
import { painter } from './styles.ts'

/**
 * Says what a prebuild that was just started does, and with `wait` shows it to its end; with `json` the document goes to standard output alone.
 * Ends with 2 where a build failed, or something cannot be had, unless that is allowed.
 */
export async function followPrebuild(begun: Prebuild, { wait, allowMissing, json }: { wait: boolean; allowMissing: boolean; json: boolean }, api: Api, context: Context): Promise<void> {
  const end = await showPrebuild(begun, { wait, json }, api, context)
  if (json) context.print(JSON.stringify(end, null, 2))
  // What cannot be had and has a job is what failed in an earlier run: to accept what is missing is not to accept that.
  if (wait && (end.failed > 0 || missing(end.lines).some(({ job }) => !allowMissing || job !== null))) throw new Ending(EXIT.failed)
}

/** Says what it does, with `wait` to its end, and resolves with how it stands then. With `json` nothing goes to standard output. */
export async function showPrebuild(begun: Prebuild, { wait, json }: { wait: boolean; json: boolean }, api: Api, context: Context): Promise<Prebuild> {
  const print = (lines: string[]): void => { for (const line of lines) (json ? context.warn : context.print)(line) }
  const paint = painter(context, json ? 'error' : 'output')
  print([...opening(begun, paint), api.link(`ui/prebuilds/${begun.id}`)])
  const end = wait && !begun.finished ? await waitFor(begun, api, context) : begun
  print([...wait ? failures(end, api.link, paint) : [], summary(end)])
  return end
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
