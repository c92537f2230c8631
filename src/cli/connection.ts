/** How commands find the server they act on, and the token that it takes. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { readServerFile } from '../config/data-folder.ts'
import { loadSettings } from '../config/load.ts'
import type { OptionName } from '../config/settings.ts'
import { MuslinError } from '../errors.ts'
import type { Api, Token } from './api.ts'
import type { Context } from './context.ts'
import { serverUrl } from './server-url.ts'
import { addSettingsFlags, givenFlags } from './settings-flags.ts'

const SETTINGS: readonly OptionName[] = ['data']

/** Adds the flags that name a server, and `--json`. */
export function addServerFlags(command: Command): Command {
  command
    .option('--json', 'Print one JSON document, also of an error; progress goes to standard error.')
    .option('--server <URL>', 'The server. Default: MUSLIN_SERVER, else publicUrl, else the one that runs here.')
    .option('--token <TOKEN>', 'The admin\'s token. Default: MUSLIN_TOKEN, else that of the data folder, for its own server.')
  addSettingsFlags(command, SETTINGS)
  return command
}

/** Runs a command's work on the server that its flags and the environment name. Throws `bad-settings` or `data-folder` where they name none. */
export async function withServer<T>(command: Command, context: Context, work: (api: Api) => Promise<T>): Promise<T> {
  const { server, token } = command.opts<{ server?: string; token?: string }>()
  const { env, cwd } = context
  const settings = loadSettings({ flags: givenFlags(command, SETTINGS), env, cwd })
  const url = await serverUrl({ server, env, cwd, settings })
  const api = await connect(url, await findToken({ token, env, data: resolve(cwd, settings.data), url }), env)
  try {
    return await work(api)
  } finally {
    await api.close()
  }
}

/** Loaded when it is needed: the other commands start faster without an HTTP client. */
async function connect(url: URL, token: Token | undefined, env: Context['env']): Promise<Api> {
  const { createApi } = await import('./api.ts')
  if (url.protocol === 'http:') return createApi({ url, token })
  const { upstreamCertificates } = await import('../config/certificates.ts')
  return createApi({ url, token, ca: await upstreamCertificates({ setting: undefined, env, pip: undefined }) })
}

/** `--token`, MUSLIN_TOKEN, else the data folder's, which goes to no other server than the one that wrote its address there. */
async function findToken({ token, env, data, url }: { token: string | undefined; env: Context['env']; data: string; url: URL }): Promise<Token | undefined> {
  if (token !== undefined) return checked(token, '--token')
  if (env['MUSLIN_TOKEN']) return checked(env['MUSLIN_TOKEN'], 'MUSLIN_TOKEN')
  const own = await readServerFile(data).catch(() => undefined)
  if (own === undefined || URL.parse(own.url)?.origin !== url.origin) return undefined
  const file = join(data, 'admin-token')
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  return kept === undefined ? undefined : checked(kept, file)
}

function checked(text: string, from: string): Token {
  const value = text.trim()
  if (/^[\x21-\x7e]+$/.test(value)) return { value, from }
  throw new MuslinError('bad-settings', `the token from ${from} is none: a token is one word of letters, digits, - and _`)
}
