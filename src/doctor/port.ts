import { once } from 'node:events'
import { createServer } from 'node:net'
import { Agent, request } from 'undici'
import type { Check } from '../cli/context.ts'
import { readServerFile, type ServerFile } from '../config/data-folder.ts'
import { fail, ok, warn } from './check.ts'

const PATIENCE_MS = 5_000

/** The port of the settings, and the server of this data folder where it has another; `host` is the setting. */
export async function portChecks({ data, port, host }: { data: string; port: number; host: string }): Promise<Check[]> {
  const own = await readServerFile(data).catch(() => undefined)
  return [await portCheck({ own, port, host }), ...own && own.port !== port ? await ownChecks(own) : []]
}

/** The port is free, or the server of this data folder listens on it. */
async function portCheck({ own, port, host }: { own: ServerFile | undefined; port: number; host: string }): Promise<Check> {
  if (port === 0) return ok('port', 'any free one')
  const code = await listenCode(port, host === 'auto' ? undefined : host)
  if (code === undefined) return ok('port', `${port} is free`)
  if (code === 'EACCES') return fail('port', `${port} needs root`, 'choose one above 1023 by --port')
  if (code !== 'EADDRINUSE') return fail('port', `nothing can listen on ${host}, port ${port} (${code})`, 'choose another address by --host')
  const ready = await readiness({ scheme: own?.scheme ?? 'http', port })
  if (ready === undefined) return fail('port', `${port} is taken by something else`, 'end what listens there, or choose another by --port')
  if (own?.port !== port) return fail('port', `${port} is taken by a Muslin of another data folder`, 'name its folder by --data, or choose another port by --port')
  return listening('port', port, ready)
}

/** Nothing is told of a server that has ended: its port says nothing of the next. */
async function ownChecks({ scheme, port, host }: ServerFile): Promise<Check[]> {
  const ready = await readiness({ scheme, port, host })
  return ready === undefined ? [] : [listening('server', port, ready)]
}

function listening(name: string, port: number, ready: boolean): Check {
  const found = `the server of this data folder listens on ${port}`
  return ready ? ok(name, found) : warn(name, `${found}, but is not ready`, 'its /readyz says why')
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
async function readiness({ scheme, port, host = 'localhost' }: Pick<ServerFile, 'scheme' | 'port' | 'host'>): Promise<boolean | undefined> {
  // Its certificate is for another name than localhost, and nothing secret is asked or told.
  const agent = new Agent({ connect: { timeout: PATIENCE_MS, rejectUnauthorized: false } })
  try {
    const { body } = await request(`${scheme}://${urlHost(host)}:${port}/readyz`, { dispatcher: agent, signal: AbortSignal.timeout(PATIENCE_MS) })
    const { ready } = await body.json() as { ready?: unknown }
    return typeof ready === 'boolean' ? ready : undefined
  } catch {
    return undefined
  } finally {
    await agent.destroy()
  }
}

/** A wildcard address is reached as this machine's own. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
