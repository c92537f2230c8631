import type Router from '@koa/router'
import { buildRoutes } from './builds.ts'
import { sessionCookie } from '../session.ts'
import type { ApiDeps } from './deps.ts'
import { jobRoutes } from './jobs.ts'
import { openApi } from './openapi.ts'
import { planRoutes } from './plans.ts'
import { rebuildRoutes } from './rebuilds.ts'
import { recipeRoutes } from './recipes.ts'
import { refreshRoutes } from './refresh.ts'
import { addRoutes, API, type ApiRoute } from './route.ts'
import { serverRoutes } from './server.ts'
import { upkeepRoutes } from './upkeep.ts'
import { waitingRoutes } from './waiting.ts'

/** The table of the JSON API. */
export function apiTable(deps: ApiDeps): ApiRoute[] {
  return [...serverRoutes(deps), ...jobRoutes(deps), ...waitingRoutes(deps), ...buildRoutes(deps), ...planRoutes(deps), ...recipeRoutes(deps), ...refreshRoutes(deps), ...rebuildRoutes(deps), ...upkeepRoutes(deps)]
}

/** The JSON API and its description, both made from the one table. */
export function apiRoutes(router: Router, deps: ApiDeps & { instance: string }): void {
  const table = apiTable(deps)
  // Made when somebody wants it: its schemas take megabytes, and most servers are never asked.
  let description: ReturnType<typeof openApi> | undefined
  addRoutes(router, table)
  router.get(`${API}/openapi.json`, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = description ??= openApi(table, { version: deps.version, cookie: sessionCookie(deps.instance) })
  })
}
