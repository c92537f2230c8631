/** Text that is put into a lock; nothing is ever taken out. */
import { lineEnd, type ValueSpan } from './spans.ts'

/** `text` is put before the character at `at`. */
export interface Insertion { at: number; text: string }

/** The text with all of them; those for one place in their order. */
export function inserted(text: string, insertions: Insertion[]): string {
  const parts: string[] = []
  let last = 0
  for (const { at, text: added } of insertions.toSorted((a, b) => a.at - b.at)) {
    parts.push(text.slice(last, at), added)
    last = at
  }
  return parts.join('') + text.slice(last)
}

/**
 * Puts entries into a list. `keys` are what its items are sorted by, where they are; each new one comes to its place among them,
 * else to the end. Wherever the items stand on lines of their own, whole lines are added and none is changed: where the last item has no
 * comma, entries for the end come before it.
 */
export function intoList(text: string, list: ValueSpan, keys: string[], entries: { key: string; entry: string }[]): Insertion[] {
  const items = list.items ?? []
  const last = items.at(-1)
  const sorted = keys.every((key, index) => index === 0 || keys[index - 1]! <= key)
  const closing = lineBefore(text, list.end - 1)
  return byKey(entries).map(({ key, entry }, index) => {
    const place = sorted ? keys.findIndex((other) => other > key) : -1
    const item = items[place < 0 ? items.length : place] ?? (closing && !list.trailing ? last : undefined)
    if (item) return before(text, item.start, `${entry},`)
    if (closing) return { at: closing.start, text: `${last && lineBefore(text, last.start)?.indent || '    '}${entry},${closing.lineBreak}` }
    return last ? { at: last.end, text: `, ${entry}` } : { at: list.end - 1, text: index === 0 ? entry : `, ${entry}` }
  })
}

/** On a line of its own, where what it comes before begins one. */
export function before(text: string, at: number, added: string): Insertion {
  const line = lineBefore(text, at)
  return { at, text: line ? `${added}${line.lineBreak}${line.indent}` : `${added} ` }
}

/** The key `wheels` on the line behind the value that ends at `at`, where lockers write it. */
export function wheelsAfter(text: string, at: number, entries: { key: string; entry: string }[]): Insertion {
  const end = lineBreakNear(text, at)
  return { at: lineEnd(text, at), text: `${end}wheels = [${end}${byKey(entries).map(({ entry }) => `    ${entry},${end}`).join('')}]` }
}

/**
 * What stands before `at` on its line, where that is white space alone, with the line break above it; else undefined. A file may be one line
 * with a hundred thousand places in it: nothing but that white space is walked over.
 */
export function lineBefore(text: string, at: number): { start: number; indent: string; lineBreak: string } | undefined {
  let start = at
  while (start > 0 && ' \t'.includes(text[start - 1]!)) start -= 1
  const above = text[start - 1]
  if (above !== '\n' && above !== '\r') return undefined
  return { start, indent: text.slice(start, at), lineBreak: above === '\n' && text[start - 2] === '\r' ? '\r\n' : above }
}

/** The one that ends the line of a value in a TOML text, else the one above it: its header stands on a line of its own. */
export function lineBreakNear(text: string, at: number): string {
  const end = lineEnd(text, at)
  const found = end < text.length ? end : text.lastIndexOf('\n', at) - 1
  return text.startsWith('\r\n', found) ? '\r\n' : '\n'
}

function byKey<T extends { key: string }>(entries: T[]): T[] {
  return entries.toSorted((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
}

/** An inline table, spaced as its neighbour is. */
export function inlineTable(fields: Record<string, string>, neighbour: string | undefined): string {
  const inner = Object.entries(fields).map(([name, value]) => `${name} = ${value}`).join(', ')
  return neighbour === undefined || neighbour.startsWith('{ ') ? `{ ${inner} }` : `{${inner}}`
}
