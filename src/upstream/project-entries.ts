import { StringDecoder } from 'node:string_decoder'
import { MuslinError } from '../errors.ts'

/** An entry has a name and a few keys. */
const LONGEST = 64 * 1024

/** The texts of the entries of a JSON list of projects (PEP 691), as they come; the list is never whole in memory. Throws `upstream-bad-answer` for what is none. */
export async function* projectEntries(list: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new StringDecoder()
  const scanner = createScanner()
  for await (const piece of list) {
    const entries = scanner.read(decoder.write(piece))
    if (entries.length > 0) yield entries
  }
  if (!scanner.isWhole()) throw badList()
}

export function badList(): MuslinError {
  return new MuslinError('upstream-bad-answer', 'an upstream\'s list of projects cannot be read; check the setting upstream')
}

/** Looks at brackets and strings alone: what is in an entry is for its reader. */
function createScanner(): { read(piece: string): string[]; isWhole(): boolean } {
  /** What has begun and goes on in the next piece, and where in it a key of the list or an entry begins; -1 where none has. */
  let text = ''
  let start = -1
  let depth = 0
  let inString = false
  let escaped = false
  let key = ''
  let inProjects = false
  let seen = false

  return {
    read(piece) {
      const entries: string[] = []
      const from = text.length
      text += piece
      for (let at = from; at < text.length; at++) {
        if (inString) readString(at)
        else readMark(at, entries)
      }
      text = start === -1 ? '' : text.slice(start)
      if (start !== -1) start = 0
      if (text.length > LONGEST) throw badList()
      return entries
    },
    isWhole: () => seen && depth === 0 && !inString,
  }

  function readString(at: number): void {
    const character = text[at]
    if (escaped) escaped = false
    else if (character === '\\') escaped = true
    else if (character === '"') {
      inString = false
      if (depth === 1) [key, start] = [text.slice(start + 1, at), -1]
    }
  }

  function readMark(at: number, entries: string[]): void {
    const character = text[at]
    if (character === '"') {
      inString = true
      if (depth === 1) start = at
    } else if (character === '{' || character === '[') {
      if (depth === 1) inProjects = character === '[' && key === 'projects'
      if (depth === 1 && inProjects) seen = true
      if (depth === 2 && inProjects && character === '{') start = at
      depth += 1
    } else if (character === '}' || character === ']') {
      depth -= 1
      if (depth === 2 && inProjects && start !== -1) {
        entries.push(text.slice(start, at + 1))
        start = -1
      }
    }
  }
}
