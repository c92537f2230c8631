import type { RequestListener, Server } from 'node:http'
import type Koa from 'koa'
import type { Fast } from './fast.ts'
import { readTakenConnections, takeConnectionsFirst } from './take-connections.ts'

/** Longer than the 60 s that load balancers keep idle connections, so that they hang up and never we, in the middle of a request. */
const KEEP_ALIVE_MS = 75_000

/** How often connections that have become idle are looked for while the server closes. */
const LOOK_MS = 50

/**
 * A server for the app, not yet listening. What `fast` does not answer goes to the app. It answers a request with `Expect: 100-continue` like any other and leaves out the
 * 100: we read no bodies, and every 100 that goes out means "still waiting".
 */
export function createServer(app: Koa, { tls, fast }: { tls?: { cert: string | Buffer; key: string | Buffer }; fast?: Fast } = {}): Server {
  const slow = app.callback() as RequestListener
  const handle: RequestListener = fast ? (req, res) => fast(req, res, () => slow(req, res)) : slow
  // An import of `node:http` reads all that it exports, WebSocket too, for which Node loads 6 MB of heap that nobody uses.
  const server = tls ? process.getBuiltinModule('node:https').createServer(tls, handle) : process.getBuiltinModule('node:http').createServer(handle)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  if (!tls) takeConnectionsFirst(server)
  // Of the time a request takes to arrive; answers may take as long as they need.
  server.headersTimeout = 30_000
  server.requestTimeout = 60_000
  server.timeout = 0
  server.on('checkContinue', slow)
  return server
}

/**
 * Ends a server gracefully: takes no new connections, ends the held requests with a redirect to themselves (`closing` tells them),
 * lets pages and files finish until `grace` aborts, then cuts what is left. Resolves when no connection is open.
 */
export async function closeServer(server: Server, { closing, grace }: { closing: AbortController; grace: AbortSignal }): Promise<void> {
  closing.abort()
  await readTakenConnections(server)
  const closed = new Promise<void>((resolve) => { server.close(() => resolve()) })
  // A connection whose answer ends from now on would stay open for the next request.
  const looking = setInterval(() => server.closeIdleConnections(), LOOK_MS)
  const cut = () => server.closeAllConnections()
  if (grace.aborted) cut()
  grace.addEventListener('abort', cut, { once: true })
  await closed
  clearInterval(looking)
  grace.removeEventListener('abort', cut)
}
