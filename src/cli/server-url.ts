import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { MuslinError } from '../errors.ts'

/**
 * The running server's address: `--server`, MUSLIN_SERVER, the setting publicUrl, else what the server wrote into its data folder
 * when it started. Throws `bad-settings`.
 */
export function serverUrl(input: { server: string | undefined; env: Record<string, string | undefined>; cwd: string; settings: Settings }): URL {
  const { server, env, cwd, settings } = input
  if (server !== undefined) return parseUrl(server, '--server')
  if (env['MUSLIN_SERVER']) return parseUrl(env['MUSLIN_SERVER'], 'MUSLIN_SERVER')
  if (settings.publicUrl !== undefined) return parseUrl(settings.publicUrl, 'publicUrl')
  const file = resolve(cwd, settings.data, 'server.json')
  return parseUrl(readServer(file), file)
}

function readServer(file: string): string {
  try {
    const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string }
    return url
  } catch (error) {
    throw new MuslinError('bad-settings', `no server has run with this data folder (${file} cannot be read); start one, or give --server URL or --data DIR`, { cause: error })
  }
}

function parseUrl(text: string, from: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new MuslinError('bad-settings', `the server from ${from} is no http or https URL`)
}
