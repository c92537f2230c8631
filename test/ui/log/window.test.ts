import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PLAIN, styleCode } from '../../../src/domain/ansi.ts'
import { HEAD_LINES, parsePosition, positionCode, readWindow, START, TAIL_LINES, type LogWindow, type Position } from '../../../src/ui/log/window.ts'

/** A log that is given in pieces of this size. */
function logOf(text: string, piece = 65_536): Parameters<typeof readWindow>[0] {
  const bytes = Buffer.from(text)
  return {
    async read(_, from = 0) {
      const pieces = Array.from({ length: Math.ceil((bytes.length - from) / piece) }, (__, index) => bytes.subarray(from + index * piece, Math.min(bytes.length, from + (index + 1) * piece)))
      return { body: Readable.from(pieces, { objectMode: false }), end: bytes.length, whole: true }
    },
  }
}

async function windowOf(text: string, { from = START, head = HEAD_LINES, ended = false, piece }: { from?: Position; head?: number; ended?: boolean; piece?: number } = {}): Promise<LogWindow> {
  const window = await readWindow(logOf(text, piece), 1, from, { head, ended })
  if (!window) throw new Error('there is no log')
  return window
}

const texts = (window: LogWindow): string[] => [...window.head, ...window.tail].map(({ text }) => text)

describe('a short log', () => {
  test('is shown whole, and a line without an end comes when it has one', async () => {
    const window = await windowOf('one\ntwo\nthr')
    expect(texts(window)).toEqual(['one', 'two'])
    expect(window).toMatchObject({ left: 0, tail: [], next: { offset: 8, line: 3 } })
    expect(texts(await windowOf('one\ntwo\nthree\n', { from: window.next, head: 0 }))).toEqual(['three'])
  })

  test('that ended is shown to its last letter', async () => {
    const window = await windowOf('one\ntwo', { ended: true })
    expect(texts(window)).toEqual(['one', 'two'])
  })

  test('that is absent is told apart from an empty one', async () => {
    expect(await readWindow({ read: async () => undefined }, 1, START, { ended: false })).toBeUndefined()
    expect(await windowOf('')).toMatchObject({ head: [], left: 0, tail: [], next: { offset: 0, line: 1 } })
  })
})

describe('a long log', () => {
  const LINES = 100_000
  const long = Array.from({ length: LINES }, (_, index) => `[${index + 1}/${LINES}] \x1b[3${index % 8}mcc\x1b[0m -c file.c\n`).join('')

  test('is its beginning, its end, and how much is left out', async () => {
    const { head, left, tail, next } = await windowOf(long, { ended: true })
    expect([head.length, tail.length, left]).toEqual([HEAD_LINES, TAIL_LINES, LINES - HEAD_LINES - TAIL_LINES])
    expect(head.at(-1)?.number).toBe(HEAD_LINES)
    expect(tail[0]).toMatchObject({ number: LINES - TAIL_LINES + 1, text: expect.stringContaining(`[${LINES - TAIL_LINES + 1}/`) as string })
    expect(tail.at(-1)?.number).toBe(LINES)
    expect(next).toEqual({ offset: Buffer.byteLength(long), line: LINES + 1, style: PLAIN })
  })

  test('keeps the colours that began in what is left out', async () => {
    const { tail } = await windowOf(`\x1b[31m${'x\n'.repeat(5000)}`)
    expect(styleCode(tail[0]?.style ?? PLAIN)).toBe('31')
  })

  test('of long lines is cut in lines and in all', async () => {
    const { head, tail } = await windowOf(`${'x'.repeat(5000)}\n`.repeat(2000))
    expect(head[0]).toMatchObject({ cut: 3000 })
    const shown = [...head, ...tail].reduce((sum, { text }) => sum + text.length, 0)
    expect(shown).toBeLessThan(500_000)
    expect(shown).toBeGreaterThan(300_000)
  })

  test('without any line end is shown in pieces, so that none is read again and again', async () => {
    const { head, next } = await windowOf('x'.repeat(200_000))
    expect(head.length).toBeGreaterThan(1)
    expect(200_000 - next.offset).toBeLessThanOrEqual(65_536)
  })
})

describe('any log', () => {
  const logs = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\n\n', '\x1b[31m', 'é', '🦀')), { maxLength: 40 }).map((parts) => parts.join(''))

  test('is the same lines, however it is cut into pieces and looks', async () => {
    await fc.assert(fc.asyncProperty(logs, fc.integer({ min: 1, max: 7 }), fc.nat(), async (text, piece, cut) => {
      const bytes = Buffer.from(text)
      const first = await windowOf(bytes.subarray(0, bytes.lastIndexOf(10, cut % (bytes.length + 1)) + 1).toString(), { piece })
      const second = await windowOf(text, { from: first.next, ended: true, piece })
      const lines = text.split('\n')
      if (lines.at(-1) === '') lines.pop()
      expect([...texts(first), ...texts(second)]).toEqual(lines)
      expect(second.next).toMatchObject({ line: lines.length + 1 })
    }))
  })
})

describe('a place', () => {
  test('survives being written into a URL', () => {
    const place = { offset: 12_345, line: 67, style: { attributes: ['bold'], fg: 9, bg: 2 } } as const
    expect(positionCode(place)).toBe('12345_67_1;91;42')
    expect(parsePosition(positionCode(place))).toEqual(place)
    expect(parsePosition(positionCode(START))).toEqual(START)
  })

  test.each(['', 'x', '1_2', '1_2_3_4', '-1_1_', '1_1_<b>', `1_1_${'1;'.repeat(100)}`, '9'.repeat(30)])('that is none is seen: %j', (code) => {
    expect(parsePosition(code)).toBeUndefined()
  })
})
