import { GcOrder, GcReport } from '../../services/gc.ts'
import type { ApiDeps } from './deps.ts'
import { route, type ApiRoute } from './route.ts'

/** What is done to the data folder while the server runs. */
export function upkeepRoutes({ gc }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'post', path: '/gc', admin: true, summary: 'Remove what nothing needs any more, and upstream files beyond cacheSize', body: GcOrder,
      answer: { status: 200, schema: GcReport }, handle: (_ctx, { body }) => gc(body),
    }),
  ]
}
