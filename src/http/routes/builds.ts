import type Router from '@koa/router'
import { MuslinError } from '../../errors.ts'
import type { BuildLogs, Clock, JobStore } from '../../services/ports.ts'
import { isBrowser, seeOther } from '../browser.ts'
import { leaving } from '../leaving.ts'
import { liveLog } from '../live-log.ts'

/** A build's whole log as plain text; what a running build writes follows as it comes. Browsers are sent to its page. */
export function buildRoutes(router: Router, { jobs, logs, clock, closing }: {
  jobs: JobStore
  logs: BuildLogs
  clock: Clock
  /** Aborts when the server stops. */
  closing: AbortSignal
}): void {
  router.get('/b/:build', async (ctx) => {
    const id = Number(/^\d{1,15}$/.exec(String(ctx.params['build']))?.[0])
    const build = Number.isNaN(id) ? undefined : await jobs.build(id)
    if (!build) throw new MuslinError('no-such-build', 'no build has this number; take the link from the line that an installer showed')
    ctx.vary('Accept')
    ctx.vary('User-Agent')
    if (isBrowser(ctx)) return seeOther(ctx, `../ui/builds/${id}`)
    ctx.status = 200
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    // A finished log never changes, but its build's page will say more one day.
    ctx.set('Cache-Control', 'no-store')
    if (ctx.method === 'HEAD') return
    ctx.body = liveLog({ read: (from) => logs.read(id, from), finished: async () => (await jobs.build(id))?.finishedAt !== undefined, clock, signal: AbortSignal.any([closing, leaving(ctx)]) })
  })
}
