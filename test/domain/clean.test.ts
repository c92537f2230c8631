import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanLine, cleanTerminal, terminalCleaner } from '../../src/domain/clean.ts'

/** Pieces that hostile text is made of, so that they meet and nest. */
const hostile = fc.array(fc.constantFrom('\x1b', '[', ']0;', '2J', '31m', '0;1m', '\x07', '\x9b', '\r', '\n', '\t', 'a', 'é', '\ud800', '😀', '\u202e', 'P', '\\', ' '), { maxLength: 30 })
  .map((pieces) => pieces.join(''))

describe('a line', () => {
  test.each([
    ['plain text', 'plain text'], [' a\r\nSet-Cookie: b ', 'a Set-Cookie: b'], ['\x1b[31mred\x1b[0m', 'red'], ['héllo 😀', 'h?llo ?'], ['a\x00\x1b]0;title\x07b', 'a b'], ['', ''],
    ['\x1b\x1b[2J[2Jx', '[2Jx'],
  ])('%j becomes %j', (text, line) => expect(cleanLine(text)).toBe(line))

  test('a long one ends in dots', () => {
    expect(cleanLine('x'.repeat(300))).toBe(`${'x'.repeat(197)}...`)
    expect(cleanLine('abcdef', 5)).toBe('ab...')
    expect(cleanLine('abcde', 5)).toBe('abcde')
    expect(cleanLine('abcdef', 2)).toBe('..')
  })

  test('is printable ASCII of the length asked for, whatever comes', () => {
    fc.assert(fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), fc.integer({ min: 0, max: 40 }), (text, max) => {
      expect(cleanLine(text, max)).toMatch(/^[\x20-\x7e]*$/)
      expect(cleanLine(text, max).length).toBeLessThanOrEqual(max)
    }))
  })
})

describe('for a terminal', () => {
  test.each([
    ['\x1b[1;31mred\x1b[0m\ttab\nline', '\x1b[1;31mred\x1b[0m\ttab\nline'], ['\x1b[2J\x1b[Hgone', 'gone'], ['\x1b]0;title\x07a', 'a'], ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['10%\r20%\r\n', '10%\n20%\n'], ['\x9b2Ja', '2Ja'], ['a\x08b\x07c', 'abc'], ['abc\u202edef', 'abcdef'], ['\x1b]never ended\nnext', '\nnext'], ['\x1bcreset', 'reset'], ['ü', 'ü'], ['\x1b', ''],
  ])('%j becomes %j', (text, clean) => expect(cleanTerminal(text)).toBe(clean))

  test('no sequence but colours is left, whatever comes', () => {
    fc.assert(fc.property(hostile, (text) => {
      expect(cleanTerminal(text).replace(/\x1b\[[0-9;:]*m/g, '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
    }), { numRuns: 1000 })
  })
})

describe('in pieces', () => {
  const inPieces = (pieces: string[]) => {
    const clean = terminalCleaner()
    return pieces.map(clean).join('')
  }

  test('the same comes out, whatever a text is cut into', () => {
    fc.assert(fc.property(fc.array(hostile, { maxLength: 6 }), (pieces) => {
      // What ends in the middle of a sequence is all that may be missing, and a line end finishes every one.
      expect(inPieces([...pieces, '\n'])).toBe(cleanTerminal(`${pieces.join('')}\n`))
    }), { numRuns: 2000 })
  })

  test.each([[['\x1b', '[2', 'Jx'], 'x'], [['\x1b[3', '1mred'], '\x1b[31mred'], [['10%\r', '\n20%\r', '30%'], '10%\n20%\n30%'], [['\x1b]0;ti', 'tle\x1b', '\\a'], 'a'], [['a\r', '', '\n'], 'a\n']])('%j becomes %j', (pieces, clean) => {
    expect(inPieces(pieces)).toBe(clean)
  })

  test('what has no escape in it is never withheld', () => {
    const clean = terminalCleaner()
    for (const piece of ['a', 'b\r', 'c', '\t', '\x1b[1mx']) expect(clean(piece)).toBe(cleanTerminal(piece))
  })

  test('a sequence without an end takes no memory, and its text stays out', () => {
    const clean = terminalCleaner()
    expect(['\x1b]0;', ...Array<string>(1000).fill('x'.repeat(500)), '\x1b', '\\out\n'].map(clean).join('')).toBe('out\n')
    expect(['\x1b]0;', 'x'.repeat(5000), '\x1b', '[2Jout\n'].map(clean).join('')).toBe('out\n')
    expect(['\x1b[', '0'.repeat(5000), 'J\x1b[2Jout\n'].map(clean).join('')).not.toContain('\x1b')
  })
})
