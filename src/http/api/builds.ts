import type { Context } from 'koa'
import { BuildView } from '../../services/views.ts'
import { leaving } from '../leaving.ts'
import { liveLog } from '../live-log.ts'
import type { ApiDeps } from './deps.ts'
import { sendEvents } from './event-stream.ts'
import { logEvents } from './log-events.ts'
import { NumberInPath, route, type ApiRoute } from './route.ts'

/** Runs of jobs, and what they said. */
export function buildRoutes({ jobViews, jobs, logs, clock, closing }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/builds/{id}', summary: 'One run of a job, with its steps and its record', params: NumberInPath,
      answer: { status: 200, schema: BuildView }, errors: ['no-such-build'],
      handle: (_ctx, { params }) => jobViews.build(params.id),
    }),
    route({
      method: 'get', path: '/builds/{id}/log', summary: 'The log of a run; what a running one writes follows as it comes', params: NumberInPath,
      answer: {
        status: 200,
        types: {
          'text/plain': 'The log',
          'text/event-stream': 'Events {"text"} of whole lines, whose id is the offset behind them; with it as Last-Event-ID one goes on there. At last "end" with the Job',
        },
      },
      errors: ['no-such-build', 'too-many-streams'],
      handle: (ctx, { params }) => log(ctx, params.id),
    }),
  ]

  async function log(ctx: Context, id: number): Promise<undefined> {
    const { job } = await jobViews.build(id)
    const source = { read: (from: number) => logs.read(id, from), finished: async () => (await jobs.build(id))?.finishedAt !== undefined, clock }
    ctx.vary('Accept')
    if (ctx.accepts('text/plain', 'text/event-stream') === 'text/event-stream') {
      const from = Number(/^\d{1,15}$/.exec(ctx.get('Last-Event-ID'))?.[0] ?? 0)
      return sendEvents(ctx, closing, (signal) => logEvents({ ...source, from, signal, end: () => jobViews.get(job) })) as undefined
    }
    ctx.status = 200
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    if (ctx.method !== 'HEAD') ctx.body = liveLog({ ...source, signal: AbortSignal.any([closing, leaving(ctx)]) })
    return undefined
  }
}
