/** Reading a log of any length in bounded memory: its beginning and its end, and how much lies between. */
import type { Readable } from 'node:stream'
import { PLAIN, parseStyle, styleAfter, styleCode, type Style } from '../../domain/ansi.ts'
import type { BuildLogs } from '../../services/ports.ts'

/** A place at the beginning of a line. */
export interface Position {
  /** In all that was ever written. */
  offset: number
  /** The line's number, from 1. */
  line: number
  style: Style
}

export const START: Position = { offset: 0, line: 1, style: PLAIN }

export interface LogLine { number: number; text: string; style: Style; cut: number }

export interface LogWindow {
  head: LogLine[]
  /** Lines between head and tail that are left out. */
  left: number
  tail: LogLine[]
  next: Position
}

/** A page shows so many lines at most of a log's beginning and of its end; so many characters of a line; so many in all of either. */
export const HEAD_LINES = 500
export const TAIL_LINES = 1000
const LINE_CHARACTERS = 2000
const HEAD_CHARACTERS = 150_000
const TAIL_CHARACTERS = 300_000
/** A line without an end is shown in pieces of this size: what was read of it before is read again until it ends. */
const UNFINISHED_BYTES = 65_536

/**
 * What stands in a log from a place on. Only whole lines, unless the log is `ended`. Undefined where there is no log. `head`: how many
 * lines of the beginning are wanted.
 */
export async function readWindow(logs: Pick<BuildLogs, 'read'>, build: number, from: Position, { head: headLines = 0, ended }: { head?: number; ended: boolean }): Promise<LogWindow | undefined> {
  const news = await logs.read(build, from.offset)
  if (!news) return undefined
  const head: LogLine[] = []
  const tail = createTail()
  let { line, style } = from
  let room = HEAD_CHARACTERS
  const rest = await eachLine(news.body, (text, length) => {
    const shown = { number: line, text, style, cut: length - text.length }
    if (head.length < headLines && room > 0) {
      room -= text.length
      head.push(shown)
    } else {
      tail.add(shown)
    }
    style = styleAfter(text, style)
    line += 1
  }, ended)
  return { head, left: tail.left(), tail: tail.lines(), next: { offset: news.end - rest, line, style } }
}

/** A place as a word for a URL or an event's id, and back; what comes back may be anybody's text. */
export function positionCode({ offset, line, style }: Position): string {
  return `${offset}_${line}_${styleCode(style)}`
}

export function parsePosition(code: string): Position | undefined {
  const [, offset, line, style] = /^(\d{1,15})_(\d{1,12})_([0-9;]{0,60})$/.exec(code) ?? []
  return offset === undefined ? undefined : { offset: Number(offset), line: Number(line), style: parseStyle(style ?? '') }
}

/** Calls back with each line, cut to what is shown of it, and its whole length; returns the bytes behind the last one. */
async function eachLine(body: Readable, line: (text: string, length: number) => void, ended: boolean): Promise<number> {
  const decoder = new TextDecoder()
  // What was read of the line that goes on, its characters and its bytes.
  let [begun, characters, bytes] = ['', 0, 0]

  const add = (piece: string): void => {
    characters += piece.length
    if (begun.length < LINE_CHARACTERS) begun += piece.slice(0, LINE_CHARACTERS - begun.length)
  }
  const end = (): void => {
    line(begun, characters)
    begun = ''
    characters = bytes = 0
  }

  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const text = decoder.decode(chunk, { stream: true })
    let start = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
      add(text.slice(start, at))
      end()
      start = at + 1
    }
    add(text.slice(start))
    bytes = start === 0 ? bytes + chunk.length : chunk.length - chunk.lastIndexOf(10) - 1
    if (bytes > UNFINISHED_BYTES) end()
  }
  if (ended && bytes > 0) end()
  return bytes
}

/** The last lines of many. */
function createTail(): { add(line: LogLine): void; lines(): LogLine[]; left(): number } {
  let lines: LogLine[] = []
  let [first, characters, left] = [0, 0, 0]
  return {
    add(line) {
      lines.push(line)
      characters += line.text.length
      while (lines.length - first > TAIL_LINES || characters > TAIL_CHARACTERS) {
        characters -= lines[first]?.text.length ?? 0
        first += 1
        left += 1
      }
      // Now and then the dropped ones are let go, not at each line.
      if (first > TAIL_LINES) {
        lines = lines.slice(first)
        first = 0
      }
    },
    lines: () => lines.slice(first),
    left: () => left,
  }
}
