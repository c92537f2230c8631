import { z } from 'zod'
import { ADMIN } from '../../domain/job.ts'
import { isValidName, normalizeName } from '../../domain/names.ts'
import { MuslinError } from '../../errors.ts'
import type { Auth } from '../../services/sessions.ts'
import { MoreApks } from '../../services/recipe-views.ts'
import { JobList, JobOrder, JobView } from '../../services/views.ts'
import type { ApiDeps } from './deps.ts'
import { number, NumberInPath, route, type ApiRoute } from './route.ts'

/** What anybody may ask for at once. */
const OPEN_LIMIT = 100

const JobQuery = z.strictObject({
  state: JobView.shape.state.optional(),
  kind: JobView.shape.kind.optional(),
  project: z.string().optional(),
  before: number('a job\'s number is written in digits alone').optional().describe('Only jobs with a smaller number: the next page'),
  limit: number('a limit is written in digits alone', 1000).optional().describe(`Default ${OPEN_LIMIT}; more than that needs the admin's token`),
})

/** The queue, and what a person does with it. */
export function jobRoutes({ jobViews, orders }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/jobs', summary: 'Jobs, newest first', query: JobQuery, answer: { status: 200, schema: JobList }, errors: ['token-needed'],
      async handle(ctx, { query: { project, ...query } }) {
        if ((query.limit ?? 0) > OPEN_LIMIT && !(ctx.state['auth'] as Auth).admin) {
          throw new MuslinError('token-needed', `more than ${OPEN_LIMIT} jobs at once need the admin's token; ask for the next page by before`)
        }
        // What is no name has no jobs either.
        const named = project !== undefined && isValidName(project) ? normalizeName(project) : project
        return { jobs: await jobViews.jobs({ ...query, project: named }) }
      },
    }),
    route({
      method: 'post', path: '/jobs', admin: true, summary: 'Build a release now; what failed before is tried again', body: JobOrder,
      answer: { status: 201, schema: JobList },
      errors: ['bad-name', 'no-such-project', 'no-such-release', 'unknown-target', 'no-builder', 'not-built-here', 'offline', 'upstream-unreachable', 'upstream-refused', 'upstream-bad-answer', 'upstream-timeout'],
      handle: async (_ctx, { body }) => ({ jobs: await Promise.all((await orders.build(body, ADMIN)).map((job) => jobViews.job(job))) }),
    }),
    route({
      method: 'get', path: '/jobs/{id}', summary: 'One job', params: NumberInPath, answer: { status: 200, schema: JobView }, errors: ['no-such-job'],
      handle: (_ctx, { params }) => jobViews.get(params.id),
    }),
    route({
      method: 'post', path: '/jobs/{id}/retry', admin: true, summary: 'Queue a failed or cancelled job again', params: NumberInPath,
      answer: { status: 200, schema: JobView }, errors: ['no-such-job', 'not-possible-now'],
      handle: async (_ctx, { params }) => jobViews.job(await orders.retry(params.id)),
    }),
    route({
      method: 'post', path: '/jobs/{id}/add-apks', admin: true, summary: 'Add apks to the recipe of a failed job\'s project, and build anew: by another job', params: NumberInPath, body: MoreApks,
      answer: { status: 201, schema: JobView }, errors: ['no-such-job', 'not-possible-now', 'no-builder', 'not-built-here'],
      handle: async (_ctx, { params, body }) => jobViews.job(await orders.addApks(params.id, body.apks, ADMIN)),
    }),
    route({
      method: 'post', path: '/jobs/{id}/cancel', admin: true, summary: 'End a queued or running job', params: NumberInPath,
      answer: { status: 200, schema: JobView }, errors: ['no-such-job', 'not-possible-now'],
      handle: async (_ctx, { params }) => jobViews.job(await orders.cancel(params.id)),
    }),
  ]
}
