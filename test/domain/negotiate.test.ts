import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONTENT_TYPES, negotiateEncoding, negotiatePage } from '../../src/domain/negotiate.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const HTML_TYPE = 'application/vnd.pypi.simple.v1+html'

test.each([
  ['pip', `${JSON_TYPE}, ${HTML_TYPE}; q=0.1, text/html; q=0.01`, 'json'],
  ['uv', `${JSON_TYPE}, ${HTML_TYPE};q=0.2, text/html;q=0.01`, 'json'],
  ['poetry', `${JSON_TYPE}, */*;q=0.1`, 'json'],
  ['hatch and scripts', '*/*', 'html'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
  ['an old pip', 'text/html', 'html'],
  ['nothing', undefined, 'html'],
  ['an empty header', ' ', 'html'],
  ['the latest JSON', 'application/vnd.pypi.simple.latest+json', 'json'],
  ['the latest HTML', 'application/vnd.pypi.simple.latest+html', 'html-v1'],
  ['HTML of the API', HTML_TYPE, 'html-v1'],
  ['HTML before JSON by weight', `${JSON_TYPE};q=0.4, text/html;q=0.5`, 'html'],
  ['both alike', `text/html, ${JSON_TYPE}`, 'json'],
  ['JSON and anything alike', `${JSON_TYPE}, */*`, 'json'],
  ['anything but HTML', 'text/html;q=0, */*', 'json'],
  ['any text', 'text/*', 'html'],
  ['any application', 'application/*', 'json'],
  ['other cases and spaces', ` ${JSON_TYPE.toUpperCase()} ; Q=1.0 `, 'json'],
  ['another parameter', 'text/html;level=1;q=0.3', 'html'],
  ['the second version', 'application/vnd.pypi.simple.v2+json', undefined],
  ['plain JSON', 'application/json', undefined],
  ['nothing at all of it', '*/*;q=0', undefined],
  ['a broken weight', `${JSON_TYPE};q=high`, undefined],
  ['no header', '????', undefined],
])('%s', (_, accept, kind) => expect(negotiatePage(accept, undefined)).toBe(kind))

test.each([
  [JSON_TYPE, 'json'], [HTML_TYPE, 'html-v1'], ['text/html', 'html'], ['application/vnd.pypi.simple.latest+json', 'json'], ['json', undefined], ['', 'html'],
])('format=%s goes before the header', (format, kind) => expect(negotiatePage('text/html', format)).toBe(kind))

test('the types name the version', () => {
  expect(CONTENT_TYPES).toEqual({ 'json': JSON_TYPE, 'html-v1': `${HTML_TYPE}; charset=utf-8`, 'html': 'text/html; charset=utf-8' })
})

test.each([
  ['gzip, deflate', 'gzip'], ['gzip, deflate, zstd', 'zstd'], ['gzip, deflate, br, zstd', 'zstd'], ['zstd;q=0.5, gzip', 'gzip'], ['zstd', 'zstd'], ['identity', 'identity'], ['Identity', 'identity'], [undefined, 'identity'], ['', 'identity'], ['*', 'gzip'],
  ['gzip;q=0', 'identity'], ['gzip;q=0, *', 'identity'], ['identity, gzip;q=0.5', 'identity'], ['x-gzip', 'gzip'], ['br', 'identity'], ['GZIP;q=0.5', 'gzip'], ['*;q=0.5, gzip;q=0.2', 'identity'],
  ['identity;q=0', undefined], ['*;q=0', undefined], ['*;q=0, identity', 'identity'], ['*;q=0, gzip;q=0.1', 'gzip'], ['identity;q=0, zstd', 'zstd'], ['br, identity;q=0', undefined], ['identity;q=0, *', 'gzip'],
])('Accept-Encoding %s gives %s', (header, coding) => expect(negotiateEncoding(header)).toBe(coding))

test('no header makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z*]{1,4}\/[a-z*]{1,4};q=[0-9.]{0,4}(, ?)?$/)), (header) => {
    negotiatePage(header, undefined)
    negotiateEncoding(header)
  }))
})

test.each([
  ['application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01', 'html-v1'],
  ['application/vnd.pypi.simple.v1+json', 'json'],
  ['text/html', 'html'],
])('whoever misreads JSON gets it only where nothing else is taken: %s', (accept, kind) => {
  expect(negotiatePage(accept, undefined, 'json')).toBe(kind)
})
