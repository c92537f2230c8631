import { z } from 'zod'
import { Refreshed } from '../../services/refresh-views.ts'
import type { ApiDeps } from './deps.ts'
import { route, type ApiRoute } from './route.ts'

/** Pages of the upstream that are fetched by hand. */
export function refreshRoutes({ refresh }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'post', path: '/projects/{project}/refresh', admin: true, summary: 'Ask the upstream anew for a project\'s page, past every cache on the way',
      params: z.strictObject({ project: z.string() }), answer: { status: 200, schema: Refreshed },
      errors: ['bad-name', 'offline', 'upstream-unreachable', 'upstream-refused', 'upstream-bad-answer', 'upstream-timeout'],
      handle: (_ctx, { params }) => refresh(params.project),
    }),
  ]
}
