/**
 * The way before the router: what is ready is answered at once, with the very headers and bytes that the routes would give. Whatever is
 * unusual about a request, and whatever is not ready, is left to them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Clock } from '../services/ports.ts'
import { createFastFiles, type FastFilesDeps } from './fast-files.ts'
import { createFastPages, type FastPagesDeps } from './fast-pages.ts'
import { createRequestLog } from './middleware/log.ts'
import { prefixOf, withoutPrefix } from './middleware/prefix.ts'
import type { ReadyAnswer } from './ready-answer.ts'

/** `next` is the slow way. */
export type Fast = (req: IncomingMessage, res: ServerResponse, next: () => void) => void

export interface FastDeps extends FastPagesDeps, FastFilesDeps {
  publicUrl: string | undefined
  closing: AbortSignal
  log: Logger
  clock: Clock
}

/** What may change an answer, or what becomes of its connection, in ways that the routes and their middleware know. */
const UNUSUAL = ['authorization', 'content-length', 'cookie', 'expect', 'if-modified-since', 'muslin-via', 'range', 'transfer-encoding', 'upgrade']

export function createFast(deps: FastDeps): Fast {
  const { closing, publicUrl, log } = deps
  const prefix = prefixOf(publicUrl)
  const logRequest = createRequestLog(deps)
  const pageOf = createFastPages(deps)
  const fileOf = createFastFiles(deps)

  return (req, res, next) => {
    if (closing.aborted || !isPlain(req)) return next()
    const url = req.url ?? ''
    const found = find(withoutPrefix(url, prefix), req)
    if (!found) return next()
    if (!(found instanceof Promise)) return send(found)
    found.then((answer) => { if (answer) send(answer); else next() }, next)

    function send(answer: ReadyAnswer): void {
      logRequest(req, res, url.split('?', 1)[0]!)
      answerWith(answer, req, res)
    }
  }

  /** The routes meet the same error, and know what to say. */
  function find(path: string, req: IncomingMessage): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    try {
      return pageOf(path, req) ?? fileOf(path, req)
    } catch (error) {
      log.debug({ err: error, path }, 'left to the routes')
      return undefined
    }
  }
}

function answerWith({ etag, head, heldHead, body, sending }: ReadyAnswer, req: IncomingMessage, res: ServerResponse): void {
  if (req.headers['if-none-match'] === etag) {
    res.writeHead(304, heldHead).end()
  } else if (req.method === 'HEAD') {
    res.writeHead(200, head).end()
  } else {
    sending?.()
    res.writeHead(200, head).end(body)
  }
}

function isPlain({ method, httpVersion, headers }: IncomingMessage): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || httpVersion !== '1.1') return false
  for (const name of UNUSUAL) if (headers[name] !== undefined) return false
  const { 'if-none-match': tags, 'cache-control': control } = headers
  if (tags === undefined) return true
  // One strong tag is compared as it stands (RFC 9110 section 13.1.2); lists, weak ones and `*` are rare.
  return /^"[^",]*"$/.test(tags) && !control?.includes('no-cache')
}
