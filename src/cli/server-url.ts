import { resolve } from 'node:path'
import { readServerFile } from '../config/data-folder.ts'
import type { Settings } from '../config/settings.ts'
import { MuslinError } from '../errors.ts'

/**
 * The running server's address: `--server`, MUSLIN_SERVER, the setting publicUrl, else what the server wrote into its data folder
 * when it started. Throws `bad-settings`, or `data-folder` where no server has run.
 */
export async function serverUrl(input: { server: string | undefined; env: Record<string, string | undefined>; cwd: string; settings: Settings }): Promise<URL> {
  const { server, env, cwd, settings } = input
  if (server !== undefined) return parseUrl(server, '--server')
  if (env['MUSLIN_SERVER']) return parseUrl(env['MUSLIN_SERVER'], 'MUSLIN_SERVER')
  if (settings.publicUrl !== undefined) return parseUrl(settings.publicUrl, 'publicUrl')
  const data = resolve(cwd, settings.data)
  return parseUrl((await readServerFile(data)).url, resolve(data, 'server.json'))
}

function parseUrl(text: string, from: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new MuslinError('bad-settings', `the server from ${from} is no http or https URL`)
}
