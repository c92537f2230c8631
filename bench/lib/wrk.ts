import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { discard, scratch } from './folders.ts'
import { CLIENT_CORE, run } from './process.ts'

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url))

export interface Load {
  /** Asked for in turn; all on one server. */
  urls: string[]
  headers?: Record<string, string>
  connections: number
  seconds: number
  /** Bytes that an answer has at the least, headers included: fewer are no answers. */
  bytesEach: number
}

export interface Rate {
  /** Whole answers a second. */
  perSecond: number
  bytes: number
  bytesPerSecond: number
  seconds: number
  /** Of an answer's time, milliseconds. */
  p50: number
  p99: number
}

interface Told { requests: number; bytes: number; micros: number; p50: number; p99: number; connect: number; read: number; write: number; status: number; timeout: number }

/** Loads a server by wrk with one thread. Throws on any failed answer: a rate of errors is none. A rate of 0 is one, of a server that answered nothing in time. */
export async function load({ urls, headers = {}, connections, seconds, bytesEach }: Load): Promise<Rate> {
  const folder = scratch('wrk')
  const paths = join(folder, 'paths')
  writeFileSync(paths, `${urls.map((url) => url.slice(new URL(url).origin.length)).join('\n')}\n`)
  const words = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '-s', SCRIPT, new URL(urls[0]!).origin, '--', paths, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
  const text = await run('wrk', words, { core: CLIENT_CORE })
  discard(folder)
  const told = JSON.parse(/^MEASURED (.*)$/m.exec(text)?.[1] ?? 'null') as Told | null
  if (!told) throw new Error(`wrk told nothing:\n${text}`)
  const wrong = (['connect', 'read', 'write', 'status', 'timeout'] as const).filter((kind) => told[kind] > 0).map((kind) => `${told[kind]} ${kind}`)
  if (wrong.length > 0) throw new Error(`of ${told.requests} answers failed: ${wrong.join(', ')}`)
  if (told.requests > 0 && told.bytes / told.requests < bytesEach) throw new Error(`answers of ${Math.round(told.bytes / told.requests)} bytes, where ${bytesEach} are right`)
  const took = told.micros / 1e6
  return { perSecond: told.requests / took, bytes: told.bytes, bytesPerSecond: told.bytes / took, seconds: took, p50: told.p50 / 1000, p99: told.p99 / 1000 }
}
