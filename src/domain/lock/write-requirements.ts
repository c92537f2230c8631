/** Adding hashes to pip's requirements files. */
import type { LockedWheel, LockEntry } from './entry.ts'
import { lineBefore, type Insertion } from './insert.ts'
import { requirementEntries } from './requirements.ts'

/** A `--hash=…` in the text. */
interface Written { start: number; hash: string }

/** The requirements of the file. Throws `bad-lock`. */
export function requirementsEntries(name: string, content: string, given: string[]): LockEntry[] {
  const lines = [...lineSpans(content)]
  return requirementEntries(name, content, given).map(({ pin, last }): LockEntry => {
    const { hashes } = pin
    const written = writtenHashes(content, lines[pin.line! - 1]!.start, lines[last - 1]!.end)
    return {
      pin, local: false, hashes,
      closed: written.length === hashes.length && written.every(({ hash }, index) => hash === hashes[index]) ? undefined : 'its hashes are not written as pip reads them: lock again',
      add: (wheels) => added(content, written, wheels),
    }
  })
}

/**
 * Sorted as lockers sort them, where they are sorted, but never behind the last: that one would then need a backslash, and its line would
 * be changed. Wherever hashes stand on lines of their own, whole lines are added.
 */
function added(content: string, written: Written[], wheels: LockedWheel[]): Insertion[] {
  const own = written.filter(({ start }) => lineBefore(content, start) !== undefined)
  const places = own.length > 0 ? own : written
  const sorted = places.every(({ hash }, index) => index === 0 || places[index - 1]!.hash <= hash)
  return wheels.map(({ sha256 }) => `sha256:${sha256}`).toSorted().map((hash) => {
    const { start } = sorted && places.find((other) => other.hash > hash) || places.at(-1)!
    const line = lineBefore(content, start)
    return { at: start, text: line ? `--hash=${hash} \\${line.lineBreak}${line.indent}` : `--hash=${hash} ` }
  })
}

/** What stands behind a comment is none, as for the reader. */
function writtenHashes(content: string, from: number, to: number): Written[] {
  const text = content.slice(from, to)
  const end = /(?:^|\s)#/.exec(text)?.index ?? text.length
  return [...text.slice(0, end).matchAll(/(?<=\s)--hash[=\s\\]+(\w+:[0-9a-f]+)/gi)].map((match) => ({ start: from + match.index, hash: match[1]!.toLowerCase() }))
}

function* lineSpans(content: string): Generator<{ start: number; end: number }> {
  let start = 0
  for (const { index, 0: { length } } of content.matchAll(/\r\n|\r|\n/g)) {
    yield { start, end: index }
    start = index + length
  }
  yield { start, end: content.length }
}
