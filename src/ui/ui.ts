import type Router from '@koa/router'
import type { Context } from 'koa'
import type { MuslinError } from '../errors.ts'
import { assetRoutes } from './assets.ts'
import { CSP } from './csp.ts'
import type { UiDeps } from './deps.ts'
import { addressRoutes } from './pages/addresses.ts'
import { errorBody } from './pages/error.ts'
import { jobRoutes } from './pages/job.ts'
import { jobsRoutes } from './pages/jobs.ts'
import { loginRoutes } from './pages/login.ts'
import { overviewRoutes } from './pages/overview.ts'
import { pauseRoutes } from './pages/pause.ts'
import { prebuildRoutes } from './pages/prebuild.ts'
import { projectRoutes } from './pages/project.ts'
import { rebuildRoutes } from './pages/rebuild.ts'
import { refreshRoutes } from './pages/refresh.ts'
import { recipeRoutes } from './pages/recipes.ts'
import { targetRoutes } from './pages/targets.ts'
import { useRoutes } from './pages/use.ts'
import { createShow, frameOf } from './show.ts'
import { page } from './layout.ts'

interface Ui {
  /** Adds the pages' routes. */
  mount(router: Router): void
  /** The page for an error; without the request it takes the server's root for `/`. */
  errorPage(error: MuslinError, ctx?: Context): { body: string; csp: string }
}

/** The pages under /ui/: rendered here, usable without JavaScript, live with it. */
export function createUi(deps: UiDeps): Ui {
  const show = createShow(deps)
  return {
    mount(router) {
      assetRoutes(router)
      const pageDeps = { ...deps, show }
      for (const add of [addressRoutes, overviewRoutes, pauseRoutes, jobsRoutes, jobRoutes, prebuildRoutes, projectRoutes, refreshRoutes, rebuildRoutes, recipeRoutes, useRoutes, targetRoutes, loginRoutes]) add(router, pageDeps)
    },
    errorPage(error, ctx) {
      const frame = ctx ? frameOf(ctx, deps) : { root: '/', path: '/ui/', auth: undefined, version: deps.version }
      return { body: page(errorBody(error, frame), frame), csp: CSP }
    },
  }
}
