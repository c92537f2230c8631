import { once } from 'node:events'
import { createServer } from 'node:net'
import { Agent, request } from 'undici'
import type { Check } from '../cli/context.ts'
import { readServerFile, type ServerFile } from '../config/data-folder.ts'
import { fail, ok, warn } from './check.ts'

const PATIENCE_MS = 5_000

/** The port is free, or the server of this data folder listens on it; `host` is the setting. */
export async function portCheck({ data, port, host }: { data: string; port: number; host: string }): Promise<Check> {
  if (port === 0) return ok('port', 'any free one')
  const code = await listenCode(port, host === 'auto' ? undefined : host)
  if (code === undefined) return ok('port', `${port} is free`)
  if (code === 'EACCES') return fail('port', `${port} needs root`, 'choose one above 1023 by --port')
  if (code !== 'EADDRINUSE') return fail('port', `nothing can listen on ${host}, port ${port} (${code})`, 'choose another address by --host')
  const own = await readServerFile(data).catch(() => undefined)
  const ready = await readiness({ scheme: own?.scheme ?? 'http', port })
  if (ready === undefined) return fail('port', `${port} is taken by something else`, 'end what listens there, or choose another by --port')
  if (own?.port !== port) return fail('port', `${port} is taken by a Muslin of another data folder`, 'name its folder by --data, or choose another port by --port')
  return ready ? ok('port', `the server of this data folder listens on ${port}`) : warn('port', `the server of this data folder listens on ${port}, but is not ready`, 'its /readyz says why')
}

/** Why nothing can listen there; undefined: something can. */
async function listenCode(port: number, host: string | undefined): Promise<string | undefined> {
  const server = createServer()
  try {
    server.listen({ port, ...host !== undefined && { host } })
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

/** What a Muslin on this port says of itself; undefined where none answers. */
async function readiness({ scheme, port }: Pick<ServerFile, 'scheme' | 'port'>): Promise<boolean | undefined> {
  // Its certificate is for another name than localhost, and nothing secret is asked or told.
  const agent = new Agent({ connect: { timeout: PATIENCE_MS, rejectUnauthorized: false } })
  try {
    const { body } = await request(`${scheme}://localhost:${port}/readyz`, { dispatcher: agent, signal: AbortSignal.timeout(PATIENCE_MS) })
    const { ready } = await body.json() as { ready?: unknown }
    return typeof ready === 'boolean' ? ready : undefined
  } catch {
    return undefined
  } finally {
    await agent.destroy()
  }
}
