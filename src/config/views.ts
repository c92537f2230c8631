/** The setting `views`: a table of tables, each a view with keys of its own. */
import { parse } from 'smol-toml'
import { z } from 'zod'
import { day, duration, patterns, type Kind } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { ViewSettings } from './settings.ts'

/** What a view may set. */
export const VIEW_KEYS: { [K in keyof ViewSettings]-?: Kind<NonNullable<ViewSettings[K]>> } = {
  allow: patterns,
  deny: patterns,
  cooldown: duration(0),
  cooldownExempt: patterns,
  before: day,
}

export const views: Kind<Record<string, ViewSettings>> = {
  accepts: 'tables by the names of views (as a flag or variable the same in TOML: NAME = { cooldown = "7d" })',
  placeholder: 'TOML',
  schema: z.unknown().transform((value, context) => {
    const table = typeof value === 'string' ? read(value) : value
    if (!isTable(table)) return refuse(context)
    return Object.fromEntries(Object.entries(table).map(([name, view]) => [name, viewOf(name, view, context)]))
  }),
}

/** Of a name that stays one segment of a path, whatever a client does to it. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/i

function viewOf(name: string, view: unknown, context: z.RefinementCtx): ViewSettings {
  if (!NAME.test(name)) return refuse(context, [name], 'accepted as names of views: letters and digits, with ".", "-" and "_" between them')
  if (!isTable(view)) return refuse(context, [name], `accepted: a table with ${Object.keys(VIEW_KEYS).join(', ')}`)
  return Object.fromEntries(Object.entries(view).map(([key, value]) => {
    if (!isKey(key)) return refuse(context, [name, key], `that is no setting of a view${didYouMean(key, Object.keys(VIEW_KEYS))}`)
    const kind = VIEW_KEYS[key]
    const result = (kind.schema as z.ZodType<unknown>).safeParse(value)
    return result.success ? [key, result.data] : refuse(context, [name, key], `accepted: ${kind.accepts}`)
  }))
}

function refuse(context: z.RefinementCtx, path: string[] = [], message = ''): never {
  context.addIssue({ code: 'custom', path, message })
  return z.NEVER
}

function read(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function isKey(key: string): key is keyof ViewSettings {
  return Object.hasOwn(VIEW_KEYS, key)
}
