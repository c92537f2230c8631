import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ansiLine, parseStyle, PLAIN, styleAfter, styleCode, type Style } from '../../src/domain/ansi.ts'

const ESC = '\x1b['
const shown = (line: string, style: Style = PLAIN): string => ansiLine(line, style).html

describe('a line as HTML', () => {
  test.each<[string, string, string]>([
    ['plain text', 'cc -c a.c', 'cc -c a.c'],
    ['a colour', `${ESC}31mred${ESC}0m plain`, '<span class="f1">red</span> plain'],
    ['a reset without a number', `${ESC}31mred${ESC}m plain`, '<span class="f1">red</span> plain'],
    ['weights', `${ESC}1;3;4mall${ESC}22;23m under${ESC}24m none`, '<span class="a-bold a-italic a-underline">all</span><span class="a-underline"> under</span> none'],
    ['what asks to be concealed', `${ESC}8mhidden?`, '<span class="a-dim">hidden?</span>'],
    ['what blinks', `${ESC}5mstill`, 'still'],
    ['bright colours and backgrounds', `${ESC}91;104mx${ESC}39my${ESC}49mz`, '<span class="f9 b12">x</span><span class="b12">y</span>z'],
    ['inverse colours', `${ESC}31;42;7mx${ESC}27my`, '<span class="f2 b1">x</span><span class="f1 b2">y</span>'],
    ['inverse without colours', `${ESC}7mx`, '<span class="a-inverse">x</span>'],
    ['the 16 of 256', `${ESC}38;5;9mx`, '<span class="f9">x</span>'],
    ['the cube of 256', `${ESC}38;5;196mx${ESC}48;5;21my`, '<span class="f9">x</span><span class="f9 b4">y</span>'],
    ['the greys of 256', `${ESC}38;5;232mx${ESC}38;5;255my`, '<span class="f0">x</span><span class="f7">y</span>'],
    ['true colours', `${ESC}38;2;250;10;10mx`, '<span class="f9">x</span>'],
    ['true colours with colons and a colour space', `${ESC}38:2::0:200:0mx`, '<span class="f2">x</span>'],
    ['true colours with colons alone', `${ESC}48:2:0:200:0mx`, '<span class="b2">x</span>'],
    ['what follows a long colour', `${ESC}38;5;1;1mx`, '<span class="a-bold f1">x</span>'],
    ['a curly underline, and its end', `${ESC}4:3mx${ESC}4:0my`, '<span class="a-underline">x</span>y'],
    ['two underlines', `${ESC}21mx`, '<span class="a-underline">x</span>'],
    ['numbers that mean nothing', `${ESC}11;58;300;38;9mx`, 'x'],
    ['HTML', `<b>&"'${ESC}31m</span><script>`, '&#60;b&#62;&#38;&#34;&#39;<span class="f1">&#60;/span&#62;&#60;script&#62;</span>'],
    ['other sequences', `a${ESC}2Kb\x1b]0;title\x07c\x1bMd${ESC}10;5He`, 'abcde'],
    ['controls and overrides of direction', 'a\x00\x08\u202eb', 'ab'],
  ])('%s', (_, line, html) => {
    expect(shown(line)).toBe(html)
  })

  test('goes on in the next line', () => {
    const { html, style } = ansiLine(`a${ESC}1;31mb`, PLAIN)
    expect(html).toBe('a<span class="a-bold f1">b</span>')
    expect(shown('c', style)).toBe('<span class="a-bold f1">c</span>')
    expect(shown(`${ESC}0mc`, style)).toBe('c')
  })
})

const codes = fc.array(fc.oneof(fc.integer({ min: 0, max: 110 }), fc.constantFrom('38;5;200', '48;2;1;2;3', '38:2::9:9:9', '4:3', '')), { maxLength: 4 }).map((parts) => `${ESC}${parts.join(';')}m`)
const lines = fc.array(fc.oneof(codes, fc.string({ unit: 'binary' }), fc.constantFrom('<', '&', '\x1b', `${ESC}0m`, `${ESC}m`)), { maxLength: 12 }).map((parts) => parts.join('').replaceAll('\n', ' '))

describe('any line', () => {
  test('gives no HTML but our own spans, balanced', () => {
    fc.assert(fc.property(lines, (line) => {
      const rest = shown(line).replace(/<span class="[a-z0-9 -]+">([^<]*)<\/span>/g, '$1')
      expect(rest).not.toMatch(/[<>"'\x00-\x08\x0b-\x1f\x7f-\x9f]/)
    }))
  })

  test('has the same style behind it, shown or not', () => {
    fc.assert(fc.property(lines, lines, (before, line) => {
      const style = styleAfter(before, PLAIN)
      expect(styleCode(styleAfter(line, style))).toBe(styleCode(ansiLine(line, style).style))
    }))
  })

  test('leaves a style that survives being written down', () => {
    fc.assert(fc.property(lines, (line) => {
      const { style } = ansiLine(line, PLAIN)
      expect(styleCode(parseStyle(styleCode(style)))).toBe(styleCode(style))
      expect(styleCode(style)).toMatch(/^[0-9;]{0,60}$/)
    }))
  })
})
