import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listFromHtml } from '../../src/upstream/list-html.ts'

const URL_OF_LIST = new URL('https://upstream.example/simple/')

async function names(pieces: (string | Uint8Array)[]): Promise<string[]> {
  const html = (async function* () { for (const piece of pieces) yield Buffer.from(piece) })()
  const list = JSON.parse(await text(listFromHtml(html, URL_OF_LIST))) as { meta: object; projects: { name: string }[] }
  expect(list.meta).toEqual({ 'api-version': '1.0' })
  return list.projects.map(({ name }) => name)
}

const PAGE = `<!DOCTYPE html><html><head><title>Simple index</title></head><body>
<a href="/simple/zope-interface/">Zope.Interface</a><br/>
<A class='x' HREF='numpy/'> numpy </A>
<a href=https://upstream.example/simple/six>six</a ><!-- größer -->
<a href="attrs/?page=1#top/of/it">attrs</a></body></html>`

test('whatever the page is cut into, its projects come out', async () => {
  const bytes = Buffer.from(PAGE)
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
    const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
    expect(await names(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toEqual(['Zope.Interface', 'numpy', 'six', 'attrs'])
  }))
})

test('of a list of any length little is held at once', async () => {
  const pieces = Array.from({ length: 300 }, (_, i) => Array.from({ length: 100 }, (__, j) => `<a href="p${i}-${j}/">p${i}-${j}</a>\n`).join(''))
  expect(await names(pieces)).toHaveLength(30_000)
})

describe('no project is', () => {
  test.each([
    ['a link elsewhere', '<a href="/login">six</a>'], ['a name with markup', '<a href="six/"><b>six</b></a>'], ['a name with a reference', '<a href="six/">s&#105;x</a>'],
    ['no name', '<a href="-x-/">-x-</a>'], ['a name that would leave its string', '<a href="a&quot;/">a"},{"</a>'], ['an anchor without an address', '<a name="six">six</a>'],
    ['another attribute', '<a data-href="six/">six</a>'], ['an anchor as long as a page', `<a href="six/" class="${'x'.repeat(5000)}">six</a>`],
  ])('%s', async (_what, html) => {
    const pieces = [...html.match(/.{1,1000}/gs) ?? [], '<a href="cffi/">cffi</a>']
    expect(await names(pieces)).toEqual(['cffi'])
  })
})

test('a page without any project is none', async () => {
  await expect(names(['<html><a href="/">Home</a></html>'])).rejects.toMatchObject({ code: 'upstream-bad-answer' })
})

test('an anchor as long as a page is none in one piece either', async () => {
  expect(await names([`<a href="six/" class="${'x'.repeat(5000)}">six</a><a href="cffi/">cffi</a>`])).toEqual(['cffi'])
})

test('hostile text takes no long time', async () => {
  for (const piece of ['<a ', '<a href=', '<a >', '<a x></a ', '<', ' href=']) {
    await expect(names(Array<string>(50).fill(piece.repeat(20_000 / piece.length)))).rejects.toMatchObject({ code: 'upstream-bad-answer' })
  }
  for (const letters of [4_000, 40_000]) {
    const anchor = `<a href="${'x'.repeat(letters)}//">six</a>`
    await expect(names(Array<string>(4_000_000 / letters).fill(anchor))).rejects.toMatchObject({ code: 'upstream-bad-answer' })
  }
}, 5_000)
