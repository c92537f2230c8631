import { readFile } from 'node:fs/promises'
import { MuslinError } from '../errors.ts'
import { namedCertificates, upstreamCertificates } from './certificates.ts'
import { findUpstream } from './default-upstream.ts'
import type { Pip } from './pip.ts'
import { environmentProxies, type EnvironmentProxies } from './proxies.ts'
import type { Settings, UpstreamTable } from './settings.ts'

/** An upstream as it was found, ready to be asked. */
export interface FoundSource {
  /** That of its table; its address, without credentials, where it has none. */
  name: string
  /** With its credentials: never print it whole. */
  url: string
  /** Where it came from, for the start's printout. */
  from: string
  /** What sets it, for errors. */
  setting: string
  ca: string[]
  proxies: EnvironmentProxies | undefined
  projects: string[]
  exclusive: boolean
  merge: string[]
}

export interface FoundSources {
  /** In the order in which they are asked: those with a table, as the file has them, then those of `upstream`. Never empty. */
  sources: FoundSource[]
  /** What is trusted, and gone through, for all else that is fetched. */
  ca: string[]
  proxies: EnvironmentProxies | undefined
}

/** All upstreams of the settings; that of pip where they name none. Throws `no-upstream`, and `bad-settings` for files that cannot be read. */
export async function findSources({ settings, env, pip }: {
  settings: Pick<Settings, 'upstream' | 'upstreams' | 'upstreamCa'>
  env: Record<string, string | undefined>
  pip: Pip | undefined
}): Promise<FoundSources> {
  const ca = await upstreamCertificates({ setting: settings.upstreamCa, env, pip })
  const proxies = environmentProxies(env)
  const tables = await Promise.all(Object.entries(settings.upstreams).map(async ([name, table]): Promise<FoundSource> => ({
    name, from: `[upstreams.${name}]`, setting: `upstreams.${name}`,
    url: await withCredentials(name, table),
    ca: table.ca === undefined ? ca : [...ca, ...await namedCertificates(table.ca, `upstreams.${name}.ca`)],
    proxies: table.proxy === undefined ? proxies : proxyOf(table.proxy),
    projects: table.projects ?? [], exclusive: table.exclusive ?? false, merge: table.merge ?? [],
  })))
  const plain = settings.upstream.map((url) => ({ url, from: 'the setting upstream' }))
  if (tables.length + plain.length === 0) plain.push(await findUpstream({ setting: undefined, env, pip }))
  const sources = [...tables, ...plain.map(({ url, from }): FoundSource => ({
    name: nameOf(url), url, from, setting: 'upstream', ca, proxies, projects: [], exclusive: false, merge: [],
  }))]
  return { sources, ca, proxies }
}

function proxyOf(proxy: string): EnvironmentProxies | undefined {
  return proxy === 'none' ? undefined : { http: proxy, https: proxy, bypass: '' }
}

async function withCredentials(name: string, table: UpstreamTable): Promise<string> {
  const url = new URL(table.url)
  const username = table.username ?? await secretIn(table.usernameFile, `upstreams.${name}.usernameFile`)
  const password = table.password ?? await secretIn(table.passwordFile, `upstreams.${name}.passwordFile`)
  if (username !== undefined) url.username = encodeURIComponent(username)
  if (password !== undefined) url.password = encodeURIComponent(password)
  return url.href
}

/** Editors end a file with a line break; no credentials do. */
async function secretIn(file: string | undefined, setting: string): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MuslinError('bad-settings', `${setting} names ${file}, which cannot be read (${error.code})`, { cause: error })
  })
  const secret = text.replace(/[\r\n]+$/, '')
  if (secret === '') throw new MuslinError('bad-settings', `${setting} names ${file}, which is empty`)
  return secret
}

function nameOf(text: string): string {
  const url = new URL(text)
  return `${url.origin}${url.pathname}`
}
