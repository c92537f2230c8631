import { z } from 'zod'
import { JobList, JobOrder, JobView } from '../../services/views.ts'
import { ADMIN } from '../session.ts'
import type { ApiDeps } from './deps.ts'
import { NumberInPath, route, type ApiRoute } from './route.ts'

const JobQuery = z.strictObject({
  state: JobView.shape.state.optional(),
  kind: JobView.shape.kind.optional(),
  project: z.string().optional().describe('Normalised'),
  before: z.coerce.number().int().min(1).optional().describe('Only jobs with a smaller number: the next page'),
  limit: z.coerce.number().int().min(1).max(1000).optional().describe('Default 100'),
})

/** The queue, and what a person does with it. */
export function jobRoutes({ jobViews, orders }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/jobs', summary: 'Jobs, newest first', query: JobQuery, answer: { status: 200, schema: JobList },
      handle: async (_ctx, { query }) => ({ jobs: await jobViews.jobs(query) }),
    }),
    route({
      method: 'post', path: '/jobs', admin: true, summary: 'Build a release now; what failed before is tried again', body: JobOrder,
      answer: { status: 201, schema: JobList },
      errors: ['bad-name', 'no-such-project', 'no-such-release', 'unknown-target', 'no-builder', 'upstream-unreachable', 'upstream-refused', 'upstream-bad-answer', 'upstream-timeout'],
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
      method: 'post', path: '/jobs/{id}/cancel', admin: true, summary: 'End a queued or running job', params: NumberInPath,
      answer: { status: 200, schema: JobView }, errors: ['no-such-job', 'not-possible-now'],
      handle: async (_ctx, { params }) => jobViews.job(await orders.cancel(params.id)),
    }),
  ]
}
