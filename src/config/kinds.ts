/**
 * The kinds of value an option can have. A value arrives as the text of a flag or variable, as a list of texts (a repeated
 * flag), or as TOML gave it; each kind turns all of them into one typed value.
 */
import { z } from 'zod'
import { parseSpan } from '../domain/moment.ts'
import { parsePattern } from '../domain/pattern.ts'
import { parseDuration, parseSize } from '../domain/quantity.ts'
import type { UpstreamTable } from './settings.ts'

export interface Kind<T> {
  /** What is accepted, to follow "accepted: ". */
  accepts: string
  schema: z.ZodType<T>
  /** Whether the flag may be given several times. */
  repeatable?: boolean
  /** What stands for the value in help texts; absent for yes-or-no. */
  placeholder?: string
}

export const text: Kind<string> = { accepts: 'text', placeholder: 'TEXT', schema: z.string().min(1) }

export const path: Kind<string> = { accepts: 'a path', placeholder: 'PATH', schema: z.string().min(1) }

export const url: Kind<string> = {
  accepts: 'an http or https URL',
  placeholder: 'URL',
  schema: z.url({ protocol: /^https?$/ }),
}

export const folderOfUrls: Kind<string> = {
  accepts: 'a path of URLs that begins and ends with /',
  placeholder: 'LOCATION',
  schema: z.string().regex(/^\/(?:[\w.~-]+\/)+$/),
}

export function choice<T extends string>(...words: T[]): Kind<T> {
  return { accepts: `one of ${words.join(', ')}`, placeholder: words.join('|'), schema: z.enum(words) as unknown as z.ZodType<T> }
}

/** A whole number within bounds, both included. */
export function whole(least: number, most: number): Kind<number> {
  return { accepts: `a whole number from ${least} to ${most}`, placeholder: 'N', schema: number(/^\d+$/).refine((value) => value >= least && value <= most) }
}

/** A number above zero, fractions allowed. */
export const amount: Kind<number> = {
  accepts: 'a number above 0, such as 1.5',
  placeholder: 'N',
  schema: number(/^\d+(\.\d+)?$/).refine((value) => value > 0),
}

const YES_NO: Record<string, boolean> = { yes: true, true: true, on: true, '1': true, no: false, false: false, off: false, '0': false }

export const yesNo: Kind<boolean> = {
  accepts: 'yes or no',
  schema: scalar().transform((value, context) => YES_NO[value.toLowerCase()] ?? refuse(context)),
}

/** Bytes. */
export const size: Kind<number> = {
  accepts: 'a size such as 512m or 2g (units of 1024), or bytes',
  placeholder: 'SIZE',
  schema: quantity(parseSize, 1),
}

/** Seconds, at least so many. */
export function duration(least: number): Kind<number> {
  return {
    accepts: 'a duration such as 90s, 30m, 2h or 3d, or seconds',
    placeholder: 'TIME',
    schema: quantity(parseDuration, least),
  }
}

/** Several texts: separated by commas, repeated, or a TOML array. */
export function list(what: string): Kind<string[]> {
  return {
    accepts: `${what}, separated by commas (an array in the file)`,
    placeholder: 'LIST',
    repeatable: true,
    schema: z.union([z.string(), z.array(z.string())])
      .transform((value) => [value].flat().flatMap((part) => part.split(',')).map((part) => part.trim()).filter((part) => part !== '')),
  }
}

/** Several URLs. */
export const urls: Kind<string[]> = {
  ...list('http or https URLs'),
  placeholder: 'URL',
  schema: list('').schema.refine((value) => value.every((part) => url.schema.safeParse(part).success)),
}

/** Tables of the file, each under a name; `upstream-table.ts` reads them. */
export const tables: Kind<Record<string, UpstreamTable>> = {
  accepts: 'tables in the file, [upstreams.NAME]',
  placeholder: 'TABLES',
  schema: z.record(z.string(), z.custom<UpstreamTable>()),
}

/** Patterns of projects and releases: separated by commas, those within specifiers excepted, repeated, or a TOML array. */
export const patterns: Kind<string[]> = {
  accepts: 'projects such as numpy or acme-*, releases such as django<5 or torch==2.*, separated by commas (an array in the file)',
  placeholder: 'LIST',
  repeatable: true,
  schema: z.union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((part) => part.split(/,(?!\s*[=!~<>])/)).map((part) => part.trim()).filter((part) => part !== ''))
    .refine((value) => value.every((part) => parsePattern(part) !== undefined)),
}

/** A day or a moment, as text or as TOML's own; what comes out is text. */
export const day: Kind<string> = {
  accepts: 'a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z',
  placeholder: 'DAY',
  schema: z.union([z.string(), z.date().transform((value) => value.toISOString())]).refine((value) => parseSpan(value) !== undefined),
}

/** KEY=VALUE pairs: separated by commas, repeated, or a TOML table. */
export function pairs(key: string, value: string): Kind<Record<string, string>> {
  const pair = z.string().regex(/^[^=]+=.+$/).transform((part): [string, string] => {
    const at = part.indexOf('=')
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()]
  })
  return {
    accepts: `${key}=${value}, repeated or separated by commas (a table in the file)`,
    placeholder: `${key}=${value}`,
    repeatable: true,
    schema: z.union([
      z.record(z.string(), z.string().min(1)),
      list('').schema.pipe(z.array(pair)).transform((entries) => Object.fromEntries(entries)),
    ]),
  }
}

/** One word, whether it came as text or as TOML's own number or boolean. */
function scalar() {
  return z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value).trim())
}

function number(pattern: RegExp) {
  return scalar().pipe(z.string().regex(pattern)).transform(Number)
}

function quantity(parse: (text: string) => number | undefined, least: number) {
  return scalar().transform((value, context) => {
    const total = parse(value)
    return total !== undefined && total >= least ? total : refuse(context)
  })
}

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom' })
  return z.NEVER
}
