import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'
import { escapeHtml, listBegin, listLinks, PAGE_END, renderHtml } from '../../src/domain/render.ts'

const SHA = 'a'.repeat(64)
const file: IndexFile = { filename: 'foo-1.0.tar.gz', url: '../../files/x/foo-1.0.tar.gz', hashes: { sha256: SHA } }
const page = (...files: Partial<IndexFile>[]): ProjectPage => ({ meta: { 'api-version': '1.4' }, name: 'foo', files: files.map((changed) => ({ ...file, ...changed })) })
const line = (changed: Partial<IndexFile>) => renderHtml(page(changed)).split('\n').find((each) => each.startsWith('<a '))

/** What an HTML parser would see, for text that escapes everything: tags, attributes and their values. */
function anchors(html: string): { attributes: Record<string, string>; text: string }[] {
  return [...html.matchAll(/<a((?: [a-z-]+="[^"<>]*")*)>([^<>]*)<\/a>/g)].map(([, attributes, text]) => ({
    attributes: Object.fromEntries([...attributes!.matchAll(/ ([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, unescape(value!)])),
    text: unescape(text!),
  }))
}
const unescape = (text: string) => text.replace(/&#([0-9]+);/g, (_, code) => String.fromCharCode(Number(code)))

test('the whole page', () => {
  expect(renderHtml(page({}))).toBe(`<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="1.4">
<title>Links for foo</title>
</head>
<body>
<h1>Links for foo</h1>
<a href="../../files/x/foo-1.0.tar.gz#sha256=${SHA}">foo-1.0.tar.gz</a><br>
</body>
</html>
`)
})

describe('attributes', () => {
  test.each<[string, Partial<IndexFile>, string]>([
    ['requires-python', { 'requires-python': '>=3.8' }, ' data-requires-python="&#62;=3.8"'],
    ['yanked with a reason', { yanked: 'it\'s "bad"' }, ' data-yanked="it&#39;s &#34;bad&#34;"'],
    ['yanked without', { yanked: true }, ' data-yanked=""'],
    ['not yanked', { yanked: false }, ''],
    ['not yanked, by an empty reason', { yanked: '' }, ''],
    ['metadata', { 'core-metadata': true }, ' data-core-metadata="true" data-dist-info-metadata="true"'],
    ['metadata with a digest', { 'core-metadata': { sha256: SHA } }, ` data-core-metadata="sha256=${SHA}" data-dist-info-metadata="sha256=${SHA}"`],
    ['metadata by the older name', { 'dist-info-metadata': { sha256: SHA } }, ` data-core-metadata="sha256=${SHA}" data-dist-info-metadata="sha256=${SHA}"`],
    ['the newer name goes first', { 'core-metadata': false, 'dist-info-metadata': true }, ''],
    ['metadata with a digest that is none', { 'core-metadata': { sha256: '" onclick="' } }, ' data-core-metadata="true" data-dist-info-metadata="true"'],
    ['metadata of a kind that is none', { 'core-metadata': 'f00' as never }, ' data-core-metadata="true" data-dist-info-metadata="true"'],
    ['a signature', { 'gpg-sig': true }, ' data-gpg-sig="true"'],
    ['no signature', { 'gpg-sig': false }, ' data-gpg-sig="false"'],
    ['provenance', { provenance: 'https://upstream.example/p' }, ' data-provenance="https://upstream.example/p"'],
    ['no provenance', { provenance: null }, ''],
    ['nothing', { 'requires-python': null, 'size': 3 }, ''],
  ])('%s', (_, changed, attributes) => expect(line(changed)).toBe(`<a href="${file.url}#sha256=${SHA}"${attributes}>foo-1.0.tar.gz</a><br>`))

  test.each<[string, Partial<IndexFile>, string]>([
    ['no hash: a promise', { hashes: {} }, file.url],
    ['another digest alone', { hashes: { blake2b: 'ff' } }, `${file.url}#blake2b=ff`],
    ['sha256 first', { hashes: { md5: 'ff', sha256: SHA } }, `${file.url}#sha256=${SHA}`],
    ['an own fragment', { url: 'https://upstream.example/a#egg=b' }, `https://upstream.example/a#sha256=${SHA}`],
    ['hashes that are missing', { hashes: undefined as never }, file.url],
  ])('the link with %s', (_, changed, href) => expect(anchors(renderHtml(page(changed)))[0]!.attributes['href']).toBe(href))
})

describe('the head', () => {
  const head = (changed: Partial<ProjectPage>) => renderHtml({ ...page(), ...changed }).split('\n').filter((each) => each.startsWith('<meta name='))

  test('tells status and reason', () => {
    expect(head({ 'project-status': { status: 'quarantined', reason: '<b>' } })).toEqual([
      '<meta name="pypi:repository-version" content="1.4">', '<meta name="pypi:project-status" content="quarantined">', '<meta name="pypi:project-status-reason" content="&#60;b&#62;">',
    ])
  })

  test('tells where else the project is', () => {
    expect(head({ 'meta': { 'api-version': '1.2', 'tracks': ['https://a.example/'] }, 'alternate-locations': ['https://b.example/', 'https://c.example/'] })).toEqual([
      '<meta name="pypi:repository-version" content="1.2">', '<meta name="pypi:tracks" content="https://a.example/">', '<meta name="pypi:alternate-locations" content="https://b.example/">',
      '<meta name="pypi:alternate-locations" content="https://c.example/">',
    ])
  })

  test.each([['1.0', '1.0'], ['1.4', '1.4'], ['1.9', '1.4'], ['2.0', '1.0'], ['"', '1.0']])('version %s becomes %s', (version, shown) => {
    expect(head({ meta: { 'api-version': version } })[0]).toBe(`<meta name="pypi:repository-version" content="${shown}">`)
  })
})

describe('hostile text', () => {
  test.each(['javascript:alert(1)', ' JavaScript:alert(1)', 'java\nscript:alert(1)', '\x01data:text/html,x', 'vbscript:x', 'file:///etc/passwd'])('a link to %j is left out', (url) => {
    expect(renderHtml(page({ url }, {})).match(/<a /g)).toHaveLength(1)
  })

  test('never leaves its place, and is read back as it was', () => {
    const nasty = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"><script>alert(1)</script>', '\' onload=\'x', '</a><a href="x">', '&lt;', '&#60;', '-->', '\u2028', 'a\nb'))
    fc.assert(fc.property(nasty, nasty, nasty, nasty, (name, filename, reason, python) => {
      const changed = { filename, 'yanked': `x${reason}`, 'requires-python': python, 'url': `../../a/${encodeURIComponent(filename)}`, 'provenance': reason }
      const html = renderHtml({ ...page(changed), name, 'project-status': { status: name, reason } })
      expect(html.match(/<(?!\/|!)/g)).toHaveLength(html.match(/<meta /g)!.length + 7)
      const [anchor, ...others] = anchors(html)
      expect(others).toEqual([])
      const clean = (text: string) => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '\ufffd')
      expect(anchor).toEqual({
        attributes: { 'href': `${changed.url}#sha256=${SHA}`, 'data-requires-python': clean(python), 'data-yanked': clean(`x${reason}`), 'data-provenance': clean(reason) },
        text: clean(filename),
      })
    }), { numRuns: 500 })
  })

  test('halves of pairs and controls become the replacement character', () => {
    expect(escapeHtml('\ud800a\x00\udc00😀\x9b')).toBe('\ufffda\ufffd\ufffd😀\ufffd')
  })
})

describe('the list', () => {
  test('links every project by its normalised name', () => {
    const html = listBegin('1.4') + listLinks(['Foo.Bar']) + listLinks(['a']) + PAGE_END
    expect(html).toContain('<meta name="pypi:repository-version" content="1.4">')
    expect(html.endsWith('<a href="a/">a</a><br>\n</body>\n</html>\n')).toBe(true)
    expect(anchors(html)).toEqual([{ attributes: { href: 'foo-bar/' }, text: 'Foo.Bar' }, { attributes: { href: 'a/' }, text: 'a' }])
  })

  test('leaves out what is no name', () => {
    expect(anchors(listLinks(['"><script>', '..', 'ok', '', 'a b', 'ünï']))).toHaveLength(1)
  })
})
