/** Text that is put into a lock; nothing is ever taken out. */
import type { ValueSpan } from './spans.ts'

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

/** The line break that the text uses. */
export function lineBreak(text: string): string {
  return /\r\n|\n|\r/.exec(text)?.[0] ?? '\n'
}

/**
 * Puts entries into a list that has some. `keys` are what its items are sorted by, where they are; each new one comes to its place among them,
 * else to the end. Wherever the items stand on lines of their own, whole lines are added and none is changed: where the last item has no
 * comma, entries for the end come before it.
 */
export function intoList(text: string, list: ValueSpan, keys: string[], entries: { key: string; entry: string }[]): Insertion[] {
  const items = list.items ?? []
  const sorted = keys.every((key, index) => index === 0 || keys[index - 1]! <= key)
  const closing = list.end - 1
  const ownLine = indentBefore(text, closing) !== undefined
  return entries.toSorted((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0).map(({ key, entry }) => {
    const place = sorted ? keys.findIndex((other) => other > key) : -1
    const item = items[place < 0 ? items.length : place] ?? (ownLine && !list.trailing ? items.at(-1) : undefined)
    if (item) return before(text, item.start, `${entry},`)
    const last = items.at(-1)
    if (ownLine) return { at: lineStart(text, closing), text: `${last && indentBefore(text, last.start) || '    '}${entry},${lineBreak(text)}` }
    return list.trailing || !last ? { at: closing, text: `${last && text[closing - 1] !== ' ' ? ' ' : ''}${entry}${list.trailing ? ',' : ''}` } : { at: last.end, text: `, ${entry}` }
  })
}

/** On a line of its own, where what it comes before begins one. */
export function before(text: string, at: number, added: string): Insertion {
  const indent = indentBefore(text, at)
  return { at, text: indent === undefined ? `${added} ` : `${added}${lineBreak(text)}${indent}` }
}

/** The white space with which the line begins; undefined where something else stands before `at`. */
export function indentBefore(text: string, at: number): string | undefined {
  const indent = text.slice(lineStart(text, at), at)
  return /^[ \t]*$/.test(indent) ? indent : undefined
}

function lineStart(text: string, at: number): number {
  let start = at
  while (start > 0 && !'\r\n'.includes(text[start - 1]!)) start -= 1
  return start
}

/** An inline table, spaced as its neighbour is. */
export function inlineTable(fields: Record<string, string>, neighbour: string | undefined): string {
  const inner = Object.entries(fields).map(([name, value]) => `${name} = ${value}`).join(', ')
  return neighbour === undefined || neighbour.startsWith('{ ') ? `{ ${inner} }` : `{${inner}}`
}
