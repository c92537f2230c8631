/** Where the values of a TOML or JSON text stand: what is written into such a text must leave every other byte of it alone. */
import { MuslinError } from '../../errors.ts'

/** A value's place in the text; `end` is behind its last character. */
export interface ValueSpan {
  start: number
  end: number
  /** Of a list. */
  items?: ValueSpan[]
  /** Of a list: a comma stands behind its last item. */
  trailing?: boolean
  /** Of a JSON object or an inline table, by the names as they are meant. */
  fields?: Map<string, ValueSpan>
}

/** As deep as the readers go. */
const DEEPEST = 50

/**
 * The span of the value that begins at `at`. JSON's values (RFC 8259) are those of TOML 1.0 but for the sign behind a name, so one scanner
 * reads both. The text must be valid: it is parsed before. Throws `bad-lock` where values stand in each other too deep.
 */
export function valueAt(text: string, at: number, depth = 0): ValueSpan {
  if (depth > DEEPEST) throw new MuslinError('bad-lock', `its values stand in each other more than ${DEEPEST} deep; no lock does that`)
  switch (text[at]) {
    case '[': return listAt(text, at, depth)
    case '{': return tableAt(text, at, depth)
    case '"': case '\'': return { start: at, end: stringEnd(text, at) }
    default: return { start: at, end: bareEnd(text, at) }
  }
}

function listAt(text: string, start: number, depth: number): ValueSpan {
  const items: ValueSpan[] = []
  let trailing = false
  let at = afterBlank(text, start + 1)
  while (at < text.length && text[at] !== ']') {
    trailing = text[at] === ','
    if (!trailing) items.push(valueAt(text, at, depth + 1))
    at = afterBlank(text, trailing ? at + 1 : items.at(-1)!.end)
  }
  return { start, end: at + 1, items, trailing }
}

function tableAt(text: string, start: number, depth: number): ValueSpan {
  const fields = new Map<string, ValueSpan>()
  let at = afterBlank(text, start + 1)
  while (at < text.length && text[at] !== '}') {
    if (text[at] === ',') {
      at = afterBlank(text, at + 1)
      continue
    }
    const key = keyAt(text, at)
    const value = valueAt(text, afterBlank(text, afterBlank(text, key.end) + 1), depth + 1)
    fields.set(key.path.join('.'), value)
    at = afterBlank(text, value.end)
  }
  return { start, end: at + 1, fields }
}

/** A name, dotted or not: its parts as they are meant. */
export function keyAt(text: string, start: number): { path: string[]; end: number } {
  const path: string[] = []
  let end = start
  for (let at = start; ;) {
    const quoted = text[at] === '"' || text[at] === '\''
    end = quoted ? stringEnd(text, at) : bareKeyEnd(text, at)
    const written = text.slice(at, end)
    path.push(text[at] === '"' ? unescaped(written) : quoted ? written.slice(1, -1) : written)
    const next = afterBlank(text, end)
    if (text[next] !== '.') return { path, end }
    at = afterBlank(text, next + 1)
  }
}

/** TOML escapes more than JSON knows; names of ours use none of that. */
function unescaped(written: string): string {
  try {
    return JSON.parse(written) as string
  } catch {
    return written.slice(1, -1)
  }
}

/** Behind white space, line ends and comments. */
export function afterBlank(text: string, start: number): number {
  let at = start
  for (;;) {
    while (at < text.length && ' \t\r\n'.includes(text[at]!)) at += 1
    if (text[at] !== '#') return at
    at = lineEnd(text, at)
  }
}

/** Where the line ends on which `at` stands, before its line break. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : text[end - 1] === '\r' && end > at ? end - 1 : end
}

function stringEnd(text: string, start: number): number {
  const quote = text[start]!
  const long = text.startsWith(quote.repeat(3), start)
  const closing = long ? quote.repeat(3) : quote
  let at = start + closing.length
  while (at < text.length && !text.startsWith(closing, at)) at += quote === '"' && text[at] === '\\' ? 2 : 1
  at += closing.length
  // TOML 1.0 "String": one or two quotes may stand before the three that end it.
  while (long && text[at] === quote) at += 1
  return at
}

function bareKeyEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && /[A-Za-z0-9_-]/.test(text[at]!)) at += 1
  return at
}

/** Numbers, dates and words; a date may hold a space. */
function bareEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && !',]}#\r\n'.includes(text[at]!)) at += 1
  while (at > start && ' \t'.includes(text[at - 1]!)) at -= 1
  return at
}
