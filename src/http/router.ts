import { createRequire } from 'node:module'
import type Router from '@koa/router'

/** The module as `require` gives it: the one for `import` imports `http`, and Node loads WebSocket and all that stands behind it for that, 16 MB. */
const { Router: KoaRouter } = createRequire(import.meta.url)('@koa/router') as { Router: typeof Router }

/** A router without routes. Paths are taken as they are written: by case, and with their last slash. */
export function createRouter(): Router {
  return new KoaRouter({ strict: true, sensitive: true })
}
