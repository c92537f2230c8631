import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html, raw, textOf, type Content } from '../../src/ui/html.ts'

/** Lone halves of surrogate pairs too. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes))

const written = (content: Content): string => textOf(html`${content}`)

describe('a template', () => {
  test('writes strings escaped, numbers, its own results and lists of them, and nothing for what is not there', () => {
    const items = ['<a>', 2, html`<b>${'&'}</b>`]
    expect(textOf(html`<p class="${'"x'}">${items}${undefined}${null}${false}${''}${[]}</p>`)).toBe('<p class="&#34;x">&#60;a&#62;2<b>&#38;</b></p>')
    expect(textOf(html`${raw('<hr>')}`)).toBe('<hr>')
  })

  test('takes no HTML from what came from outside', () => {
    const outside = JSON.parse('{"Symbol(html)":"<b>","html":"<b>"}') as unknown
    expect(() => written(outside as Content)).toThrow()
  })

  test('lets no text out of where it stands', () => {
    fc.assert(fc.property(anyText, (text) => {
      expect(written(text)).not.toMatch(/[<>"'\r\n]|&(?!#\d+;)/)
    }))
  })

  test('loses nothing of a text but what HTML cannot hold', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(written(text).replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))).toBe(text)
    }))
  })
})
