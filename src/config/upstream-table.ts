/** The keys of `[upstreams.NAME]`, in one table, as those of all settings are in `options.ts`. */
import { isNamePattern } from '../domain/name-pattern.ts'
import { MuslinError } from '../errors.ts'
import { list, path, text, url, yesNo, type Kind } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Given, UpstreamTable } from './settings.ts'

type Key = keyof UpstreamTable

const names: Kind<string[]> = { ...list('names such as billing or company-*'), schema: list('').schema.refine((value) => value.every(isNamePattern)) }

export const UPSTREAM_KEYS: { [K in Key]-?: { kind: Kind<Exclude<UpstreamTable[K], undefined>>; text: string } } = {
  url: { kind: url, text: 'The simple index. Required.' },
  username: { kind: text, text: 'The name to log in with, unless it stands in the URL. It and the password are sent to the URL\'s own scheme, host and port alone, and there to the folder that holds the index.' },
  password: { kind: text, text: 'The password, or the token.' },
  usernameFile: { kind: path, text: 'A file that holds the name, such as a mounted secret.' },
  passwordFile: { kind: path, text: 'A file that holds the password.' },
  projects: { kind: names, text: 'The names that are asked here; all, where it is not given. `*` stands for any characters.' },
  exclusive: { kind: yesNo, text: 'Whether the names of `projects` are asked nowhere else, even where this upstream does not have them. Nobody can then take a name of yours elsewhere. Default: no.' },
  merge: { kind: names, text: 'Names whose files here are listed beside those of the upstream that has the name. Of files of the same name the first upstream\'s is taken. Without it one upstream alone has a name.' },
  ca: { kind: path, text: 'A PEM file with CAs to trust for this upstream, beside those that are trusted for all.' },
  proxy: { kind: text, text: 'The HTTP proxy to reach this upstream and its files through, as a URL; `none` for none. Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment.' },
}

/** A name that can be a part of a variable's name. */
const NAME = /^[a-z][a-z0-9_-]*$/i
const KEYS = Object.keys(UPSTREAM_KEYS) as Key[]

/** `MUSLIN_UPSTREAMS_COMPANY_PASSWORD`: any key of a table that the file has. */
export const VARIABLE_PREFIX = 'MUSLIN_UPSTREAMS_'

/** The tables of the file with what the environment adds to them. Throws `bad-settings`, and never shows a value that could be a secret. */
export function readUpstreamTables(given: Given | undefined, env: Record<string, string | undefined>): Record<string, UpstreamTable> {
  const { value, from = 'the settings file' } = given ?? {}
  const tables = isTable(value) ? value : {}
  const merged = new Map<string, Record<string, unknown>>()
  for (const [name, table] of Object.entries(tables)) {
    if (!NAME.test(name)) throw new MuslinError('bad-settings', `[upstreams.${name}], set by ${from}: a name has letters, digits, - and _, and begins with a letter`)
    if (!isTable(table)) throw new MuslinError('bad-settings', `upstreams.${name}, set by ${from}, is no table; write [upstreams.NAME] and below it url = "…"`)
    const same = [...merged.keys()].find((other) => variablePart(other) === variablePart(name))
    // Either would be sent what is meant for the other: a password to another host.
    if (same !== undefined) throw new MuslinError('bad-settings', `[upstreams.${same}] and [upstreams.${name}], set by ${from}, have the same environment variables, ${VARIABLE_PREFIX}${variablePart(name)}_…; give one of them another name`)
    merged.set(name, { ...table })
  }
  addVariables(merged, env)
  return Object.fromEntries([...merged].map(([name, table]) => [name, readTable(name, table, from)]))
}

function addVariables(tables: Map<string, Record<string, unknown>>, env: Record<string, string | undefined>): void {
  const keys = new Map<string, { table: Record<string, unknown>; key: Key }>([...tables].flatMap(([name, table]) => KEYS.map((key) => [`${VARIABLE_PREFIX}${variablePart(name)}_${key.toUpperCase()}`, { table, key }] as const)))
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(VARIABLE_PREFIX) || value === undefined || value === '') continue
    const place = keys.get(variable)
    if (!place) throw new MuslinError('bad-settings', `no key of a table [upstreams.NAME] of the settings file belongs to the environment variable ${variable}${didYouMean(variable, keys.keys())}`)
    place.table[place.key] = value
  }
}

function variablePart(name: string): string {
  return name.replaceAll('-', '_').toUpperCase()
}

function readTable(name: string, table: Record<string, unknown>, from: string): UpstreamTable {
  const where = `[upstreams.${name}], set by ${from},`
  const entries = Object.entries(table).map(([key, value]) => {
    if (!Object.hasOwn(UPSTREAM_KEYS, key)) throw new MuslinError('bad-settings', `${where} has ${key}, which is none of its keys${didYouMean(key, KEYS)}`)
    const { kind } = UPSTREAM_KEYS[key as Key]
    const result = kind.schema.safeParse(value)
    if (!result.success) throw new MuslinError('bad-settings', `${where} has a ${key} that cannot be used; accepted: ${kind.accepts}`)
    return [key, result.data]
  })
  const read = Object.fromEntries(entries) as UpstreamTable
  const problem = problemOf(read)
  if (problem !== undefined) throw new MuslinError('bad-settings', `${where} ${problem}`)
  return read
}

function problemOf(table: UpstreamTable): string | undefined {
  const { url: address, username, password, usernameFile, passwordFile, projects, exclusive, proxy } = table
  if (address === undefined) return 'has no url'
  const others = [username ?? usernameFile, password ?? passwordFile].filter((each) => each !== undefined)
  if (others.length > 0 && new URL(address).username !== '') return 'has credentials in its url and beside it; give them once'
  if (username !== undefined && usernameFile !== undefined) return 'has both username and usernameFile'
  if (password !== undefined && passwordFile !== undefined) return 'has both password and passwordFile'
  if (exclusive && !projects?.length) return 'is exclusive, but says by no projects what for'
  if (proxy !== undefined && proxy !== 'none' && !isWeb(proxy)) return 'has a proxy that is neither "none" nor an http or https URL'
  return undefined
}

function isWeb(address: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(address)?.protocol ?? '')
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
