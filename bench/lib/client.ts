import { createHash } from 'node:crypto'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { comparer, pieces, type Bytes } from '../upstream/bytes.ts'

export const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
export const ACCEPT = { json: JSON_PAGE, html: 'text/html' } as const

/** What every row is asked with: the same compression for all, and the whole answer on a connection that is kept. */
export function pageHeaders(format: keyof typeof ACCEPT): Record<string, string> {
  return { 'Accept': ACCEPT[format], 'Accept-Encoding': 'gzip', 'User-Agent': 'bench/1' }
}

export interface Answer {
  /** 0 where the connection failed or was cut, or where nothing came in time. */
  status: number
  why?: string
  headers: IncomingHttpHeaders
  /** Milliseconds from asking to the first byte of the body, and to the last. */
  first: number
  total: number
  /** Bytes of the body as it came. */
  size: number
}

export interface AskOptions {
  headers?: Record<string, string>
  /** Each piece of the body. */
  onPiece?: (piece: Buffer) => void
  agent?: Agent
  /** Seconds after which it gives up. */
  patience?: number
  /** Hangs up after so many bytes of the body. */
  leaveAfter?: number
}

/** Each on a connection of its own: one that was kept may be closed by a row in the same moment. */
const ONCE = new Agent({ keepAlive: false })

/** One GET. Never throws: what went wrong is status 0 and why. */
export function ask(url: string, { headers = {}, onPiece, agent = ONCE, patience = 60, leaveAfter }: AskOptions = {}): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve) => {
    const answer: Answer = { status: 0, headers: {}, first: Number.NaN, total: 0, size: 0 }
    const settle = (why?: string): void => {
      clearTimeout(timer)
      answer.total = performance.now() - began
      resolve(why === undefined ? answer : { ...answer, status: 0, why })
    }
    const asked = request(url, { headers, agent }, (response) => {
      Object.assign(answer, { status: response.statusCode, headers: response.headers })
      response.on('data', (piece: Buffer) => {
        if (answer.size === 0) answer.first = performance.now() - began
        answer.size += piece.length
        onPiece?.(piece)
        if (leaveAfter !== undefined && answer.size >= leaveAfter) asked.destroy(new Error('left'))
      })
      response.on('end', () => settle(response.complete ? undefined : 'cut'))
      response.on('error', (error) => settle(error.message))
    })
    const timer = setTimeout(() => asked.destroy(new Error(`nothing in ${patience} s`)), patience * 1000)
    asked.on('error', (error) => settle(error.message))
    asked.end()
  })
}

/** A whole body, uncompressed; redirects are followed as clients do. Throws on anything but 200. */
export async function fetchBody(url: string, headers: Record<string, string> = {}): Promise<{ body: Buffer; wire: number; headers: IncomingHttpHeaders; url: string }> {
  let at = url
  for (let hops = 0; hops < 5; hops++) {
    const parts: Buffer[] = []
    const answer = await ask(at, { headers, onPiece: (piece) => parts.push(piece) })
    const { location } = answer.headers
    if ([301, 302, 303, 307, 308].includes(answer.status) && location !== undefined) at = new URL(location, at).href
    else if (answer.status !== 200) throw new Error(`${at}: ${answer.status === 0 ? answer.why : `status ${answer.status}`}`)
    else {
      const body = Buffer.concat(parts)
      return { body: answer.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body, wire: body.length, headers: answer.headers, url: at }
    }
  }
  throw new Error(`${url}: redirected again and again`)
}

/** One GET whose bytes must be those of a file. */
export async function download(url: string, right: Bytes, options: Omit<AskOptions, 'onPiece'> = {}): Promise<Answer & { right: boolean }> {
  const compared = comparer(right)
  const answer = await ask(url, { ...options, onPiece: (piece) => compared.next(piece) })
  return { ...answer, right: answer.status === 200 && compared.right() }
}

export function sha256(bytes: Bytes | Buffer): string {
  const hash = createHash('sha256')
  for (const piece of Buffer.isBuffer(bytes) ? [bytes] : pieces(bytes, 0, bytes.size)) hash.update(piece)
  return hash.digest('hex')
}
