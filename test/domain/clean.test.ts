import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanLine, cleanTerminal } from '../../src/domain/clean.ts'

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
