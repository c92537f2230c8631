import type Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Admission } from '../services/admission.ts'
import type { Apks } from '../services/apks.ts'
import type { Crates } from '../services/crates.ts'
import type { Downloads } from '../services/downloads.ts'
import type { Files } from '../services/files.ts'
import type { Hindrance } from '../services/hindrance.ts'
import type { JobEvents } from '../services/job-events.ts'
import type { ProjectList } from '../services/list.ts'
import type { ProjectPages } from '../services/pages.ts'
import type { PromiseMetadata } from '../services/promise-metadata.ts'
import type { PromiseBook } from '../services/promises.ts'
import type { ReadyTargets } from '../services/ready-targets.ts'
import type { PureFallbacks } from '../services/pure-fallbacks.ts'
import type { Records } from '../services/records.ts'
import type { Sessions } from '../services/sessions.ts'
import type { Wishes } from '../services/wishes.ts'
import { apiRoutes } from './api/api.ts'
import type { ApiDeps } from './api/deps.ts'
import { createAskers } from './asker.ts'
import { createLinks } from './links.ts'
import { announcedBodies } from './middleware/bodies.ts'
import { gate, type ErrorPage } from './middleware/gate.ts'
import { requestLog } from './middleware/log.ts'
import { refuseLoops } from './middleware/loop.ts'
import { stripPrefix } from './middleware/prefix.ts'
import { boundStreams } from './middleware/streams.ts'
import type { View } from './page-ask.ts'
import { createRouter } from './router.ts'
import { apkRoutes } from './routes/apk.ts'
import { buildRoutes } from './routes/builds.ts'
import { crateRoutes } from './routes/crates.ts'
import { fileRoutes } from './routes/files.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoutes } from './routes/home.ts'
import { promiseRoutes } from './routes/promise.ts'
import { simpleRoutes } from './routes/simple.ts'
import { sessionMiddleware } from './session.ts'
import { createShownMetadata } from './shown-metadata.ts'
import { createHopTokens } from './waiting/hop-token.ts'
import { createOutcome } from './waiting/outcome.ts'
import { createWaiting } from './waiting/wait.ts'

export interface AppDeps extends Omit<ApiDeps, 'asker'> {
  pages: ProjectPages
  views: View[]
  list: ProjectList
  files: Files
  apks: Apks
  crates: Crates
  records: Records
  downloads: Downloads
  fallbacks: PureFallbacks
  promises: PromiseBook
  promiseMetadata: PromiseMetadata
  wishes: Wishes
  events: JobEvents
  hindrance: Hindrance
  admission: Admission
  sessions: Sessions
  readyTargets: ReadyTargets
  log: Logger
  /** Names of the configured targets. */
  targets: string[]
  /** This server's id, as its upstream client sends it in `muslin-via`. */
  instance: string
  /** Signs hops; the same in every process of this server. */
  hopKey: string
  /** sha256 of the admin's token, hex. */
  adminTokenSha256: string | undefined
  publicUrl: string | undefined
  trustedProxies: string[]
  behindProxy: boolean
  holdLimit: number | undefined
  xAccel?: string | undefined
  /** Adds the routes of the pages for people. */
  mount?: (router: Router) => void
  /** Whether the upstream is never asked. */
  offline: boolean
  /** How errors are shown to browsers. */
  errorPage?: ErrorPage
}

/** How a client that leaves shows itself; the last is one that leaves while it sends. */
const LEFT = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']

/** The routing table. */
export function createApp(deps: AppDeps): Koa {
  const app = new Koa()
  const asker = createAskers(deps)
  const links = createLinks(deps)
  const waiting = createWaiting({ ...deps, asker, links, outcome: createOutcome(deps), tokens: createHopTokens({ key: deps.hopKey }) })

  const router = createRouter()
  homeRoutes(router, { links })
  healthRoutes(router, deps)
  simpleRoutes(router, deps)
  fileRoutes(router, { ...deps, asker })
  apkRoutes(router, deps)
  crateRoutes(router, { ...deps, links })
  promiseRoutes(router, { ...deps, waiting, links, shown: createShownMetadata(deps) })
  buildRoutes(router, deps)
  apiRoutes(router, { ...deps, asker })
  deps.mount?.(router)

  app.use(requestLog(deps))
  app.use(everyAnswer(deps))
  app.use(gate(deps))
  app.use(refuseLoops(deps))
  app.use(stripPrefix(deps))
  app.use(sessionMiddleware({ ...deps, asker }))
  app.use(announcedBodies())
  app.use(boundStreams({ asker }))
  app.use(router.routes())
  app.use(router.allowedMethods())
  // What comes here broke after its headers were sent; a client that left is no error.
  app.on('error', (error: NodeJS.ErrnoException, ctx?: Koa.Context) => {
    const left = LEFT.includes(error.code ?? '')
    deps.log[left ? 'debug' : 'warn']({ err: error, path: ctx?.path }, left ? 'the client left' : 'an answer was cut')
  })
  return app
}

function everyAnswer({ closing }: { closing: AbortSignal }): Middleware {
  return async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
    // RFC 9110 section 15.5.2. Not Basic: a browser would ask for a password, and send it along for any page from then on.
    if (ctx.status === 401) ctx.set('WWW-Authenticate', 'Bearer')
    if (closing.aborted && !ctx.headerSent) ctx.set('Connection', 'close')
  }
}
