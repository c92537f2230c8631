import { describe, expect, test } from 'vitest'
import { renderHtml } from '../../src/domain/render.ts'
import { pageFromHtml } from '../../src/upstream/page-html.ts'
import { readPage } from '../../src/upstream/page.ts'

const URL_OF_PAGE = new URL('https://upstream.example/simple/p/')
const SHA = 'ab'.repeat(32)
const page = async (html: string) => {
  const read = await pageFromHtml(html, 'p', URL_OF_PAGE)
  if (typeof read === 'string') throw new Error(read)
  return read
}
const files = async (html: string) => (await page(html)).files

describe('what the standards have', () => {
  test('comes through, all of it', async () => {
    const read = await page(`<!DOCTYPE html><html><head>
      <meta name="pypi:repository-version" content="1.4"><meta name="pypi:project-status" content="archived"><meta name="pypi:project-status-reason" content="moved &amp; done">
      <meta name="pypi:tracks" content="https://a.example/simple/p/"><meta name="pypi:tracks" content="https://b.example/simple/p/"><meta name="pypi:alternate-locations" content="https://c.example/simple/p/">
      <title>Links for p</title></head><body><h1>Links for p</h1>
      <a href="../../files/p-1.0-py3-none-any.whl#sha256=${SHA.toUpperCase()}" data-requires-python="&gt;=3.8,&lt;4" data-core-metadata="sha256=${SHA}" data-dist-info-metadata="true" data-gpg-sig="false"
         data-provenance="https://upstream.example/p.provenance">p-1.0-py3-none-any.whl</a><br>
      <a href="https://files.example/p-1.0.tar.gz#egg=p&md5=0123456789abcdef0123456789abcdef&amp;sha1=${'0'.repeat(40)}" data-yanked="broken &quot;here&quot;">another text</a>
      <a href="p-2.0.zip" data-yanked>p-2.0.zip</a></body></html>`)
    expect(read).toEqual({
      meta: { 'api-version': '1.0', tracks: ['https://a.example/simple/p/', 'https://b.example/simple/p/'] }, name: 'p',
      'project-status': { status: 'archived', reason: 'moved & done' }, 'alternate-locations': ['https://c.example/simple/p/'],
      files: [
        {
          filename: 'p-1.0-py3-none-any.whl', url: 'https://upstream.example/files/p-1.0-py3-none-any.whl', hashes: { sha256: SHA }, 'requires-python': '>=3.8,<4',
          'core-metadata': { sha256: SHA }, 'dist-info-metadata': true, 'gpg-sig': false, provenance: 'https://upstream.example/p.provenance',
        },
        { filename: 'p-1.0.tar.gz', url: 'https://files.example/p-1.0.tar.gz', hashes: { md5: '0123456789abcdef0123456789abcdef', sha1: '0'.repeat(40) }, yanked: 'broken "here"' },
        { filename: 'p-2.0.zip', url: 'https://upstream.example/simple/p/p-2.0.zip', hashes: {}, yanked: true },
      ],
    })
  })

  test('what we write ourselves is read as the same', async () => {
    const model = {
      meta: { 'api-version': '1.4' }, name: 'p', 'project-status': { status: 'deprecated', reason: 'use <b>' },
      files: [{ filename: 'p-1.0+local-py3-none-any.whl', url: 'https://upstream.example/f/p-1.0%2Blocal-py3-none-any.whl', hashes: { sha256: SHA }, 'requires-python': '>=3.8', yanked: 'a "reason" & more', 'core-metadata': true, 'gpg-sig': true, provenance: 'https://x.example/' }],
    }
    const read = await page(renderHtml(model))
    expect(read).toEqual({ ...model, meta: { 'api-version': '1.0' }, files: [{ ...model.files[0], 'dist-info-metadata': true }] })
  })
})

describe('odd HTML', () => {
  test.each([
    ['uppercase tags and attributes', `<A HREF="p-1.0.zip#SHA256=${SHA}">x</A>`], ['no quotes', `<a href=p-1.0.zip#sha256=${SHA}>`], ['single quotes', `<a href='p-1.0.zip#sha256=${SHA}'>`],
    ['line breaks in the tag', `<a\n\thref\n=\n"p-1.0.zip#sha256=${SHA}"\n>`], ['entities', `<a href="p-1&#46;0&period;zip&num;sha256&#x3d;${SHA}">`], ['an attribute twice', `<a href="p-1.0.zip#sha256=${SHA}" href="q-1.0.zip">`],
    ['spaces around the address', `<a href="  p-1.0.zip#sha256=${SHA} ">`], ['no end', `<a href="p-1.0.zip#sha256=${SHA}">p-1.0`], ['self-closing', `<a href="p-1.0.zip#sha256=${SHA}"/>`],
    ['within others', `<table><tr><td><b><a class="x" href="p-1.0.zip#sha256=${SHA}"><i>p`], ['a comment before', `<!-- <a href="q-1.0.zip"> --><a href="p-1.0.zip#sha256=${SHA}">`],
    ['an unclosed comment behind', `<a href="p-1.0.zip#sha256=${SHA}"><!-- <a href="q-1.0.zip">`], ['a script with a link', `<script>'<a href="q-1.0.zip">'</script><a href="p-1.0.zip#sha256=${SHA}">`],
    ['a title with a link', `<title><a href="q-1.0.zip"></title><a href="p-1.0.zip#sha256=${SHA}">`], ['a mark', `\ufeff<a href="p-1.0.zip#sha256=${SHA}">`],
    ['other links', `<a href="../">up</a><a href="mailto:p-1.0.zip"></a><a>no</a><a href="/about.html">x</a><a href="https://home.example/">h</a><a href="p-1.0.zip#sha256=${SHA}">`],
  ])('%s', async (_what, html) => {
    expect(await files(html)).toEqual([{ filename: 'p-1.0.zip', url: 'https://upstream.example/simple/p/p-1.0.zip', hashes: { sha256: SHA } }])
  })

  test.each([
    ['of the page\'s own host', '<base href="/mirror/">', 'https://upstream.example/mirror/p-1.0.zip'], ['of another', '<BASE target=_top HREF=https://files.example/p/>', 'https://files.example/p/p-1.0.zip'],
    ['behind the link', '', 'https://files.example/p-1.0.zip', '<base href="https://files.example/">'], ['the first of two', '<base href="https://a.example/"><base href="https://b.example/">', 'https://a.example/p-1.0.zip'],
    ['a script', '<base href="javascript:alert(1)">', 'https://upstream.example/simple/p/p-1.0.zip'], ['a file', '<base href="file:///etc/">', 'https://upstream.example/simple/p/p-1.0.zip'],
    ['data', '<base href="data:text/html,x">', 'https://upstream.example/simple/p/p-1.0.zip'], ['none', '<base href="http://[">', 'https://upstream.example/simple/p/p-1.0.zip'],
  ])('a base: %s', async (_what, before, url, behind = '') => {
    expect((await files(`${before}<a href="p-1.0.zip">${behind}`)).map((file) => file.url)).toEqual([url])
  })

  test.each([
    'javascript:alert(1)//p-1.0.zip', 'file:///etc/p-1.0.zip', 'data:x,p-1.0.zip', 'ftp://upstream.example/p-1.0.zip', 'JaVaScRiPt:p-1.0.zip', '&#106;avascript:p-1.0.zip', 'http://[/p-1.0.zip',
    '..%2f..%2fp-1.0.zip', '%2e%2e%5cp-1.0.zip', 'p%00-1.0.zip', 'p-1.0.zip/', '%ff%fe.zip', '%zz.zip', '.', '..', 'p-1.0%0a.zip', `${'x'.repeat(300)}.zip`, `p-1.0.zip?${'x'.repeat(20_000)}`,
  ])('no file is at %s', async (href) => {
    expect(await files(`<title>Links for p</title><a href="${href}">p-1.0.zip</a>`)).toEqual([])
  })

  test.each(['sha256=short', 'sha256=', `sha256=${'g'.repeat(64)}`, `md4=${SHA}`, `__proto__=${SHA}`, ''])('the fragment %s is no digest', async (fragment) => {
    expect((await files(`<a href="p-1.0.zip#${fragment}">`))[0]?.hashes).toEqual({})
  })
})

describe('what is no page', () => {
  test.each([
    ['a login', '<html><title>Sign in</title><form></form>', 'without a link'], ['nothing', '', 'without a link'], ['a link that is none', '<a href="javascript:x.zip">', 'without a link'],
    ['another API', '<meta name="pypi:repository-version" content="2.0"><a href="p-1.0.zip">', 'version "2.0"'],
  ])('%s', async (_what, html, why) => { expect(await pageFromHtml(html, 'p', URL_OF_PAGE)).toContain(why) })

  test.each(['<title>Links for p</title>', '<TITLE>team/dev: links for p</TITLE>', '<title>Simple Index</title>', '<meta name="pypi:repository-version" content="1.0">'])('a page without files is one where it says so: %s', async (html) => {
    expect(await files(html)).toEqual([])
  })
})

describe('bytes tell what they are', () => {
  const json = { meta: { 'api-version': '1.0' }, name: 'p', files: [] }
  const read = (bytes: string | Buffer) => readPage(Buffer.from(bytes), { project: 'p', url: URL_OF_PAGE, setting: 'upstream' })

  test('JSON comes through byte by byte, its mark apart', async () => {
    const text = ` \n${JSON.stringify(json, null, 3)}\n`
    expect((await read(text)).json.toString()).toBe(text)
    expect((await read(`\ufeff${text}`)).json.toString()).toBe(text)
  })

  test.each([
    ['', 'neither'], ['plain', 'neither'], ['\x1f\x8b\b', 'neither'], ['[]', 'neither'], ['{', 'no JSON'], ['{"meta":{}}', 'api-version'], [JSON.stringify({ ...json, meta: { 'api-version': 1 } }), 'api-version'],
    [JSON.stringify({ ...json, files: {} }), 'files'], [JSON.stringify({ ...json, files: [{ filename: 'x', url: 'y' }] }), 'files.0'], [JSON.stringify({ ...json, files: [{ filename: 'x', url: 'y', hashes: { sha256: 1 } }] }), 'files.0'],
    [JSON.stringify({ ...json, files: [null] }), 'files.0'], [`{"meta":{"api-version":"1.0"},"files":[],"x":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'deep'],
  ])('%s', async (bytes, why) => { await expect(read(bytes)).rejects.toMatchObject({ code: 'upstream-bad-answer', detail: expect.stringContaining(why) }) })

  test('brackets in texts are none', async () => {
    const text = JSON.stringify({ ...json, name: `${'['.repeat(5000)}"\\"{` })
    expect((await read(text)).json.toString()).toBe(text)
  })
})

describe('time', () => {
  // Each took seconds to hours with a tree, or with patterns that go back.
  test.each([
    ['<'], ['&'], ['<a href="'], ['<a '], ['<a x=y '], ['</'], ['<!--'], ['<b></i>'], ['<base href=x>'], ['<meta name="pypi:tracks" content="x">'], ['<script>'], ['<title>x&lt;'], ['<a href=x#'], ['&#'], ['<a href=x.zip>'], ['\''],
  ])('half a megabyte of %s', async (piece) => {
    const began = performance.now()
    await pageFromHtml(piece.repeat(500_000 / piece.length), 'p', URL_OF_PAGE)
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})
