import { describe, expect, test } from 'vitest'
import { checksumIn, downloadTemplate, downloadUrl, indexPath, isIndexFile } from '../../src/domain/crate-index.ts'

test.each([['a', '1/a'], ['ab', '2/ab'], ['abc', '3/a/abc'], ['serde', 'se/rd/serde'], ['Inflector', 'in/fl/inflector']])('the file of %s lies at %s', (name, path) => {
  expect(indexPath(name)).toBe(path)
})

describe('an index file', () => {
  const [one, two] = ['1', '2'].map((digit) => digit.repeat(64))
  const lines = `{"vers":"1.0.0","cksum":"${one}"}\n{"vers":"1.0.0+b","cksum":"${two}","yanked":true}\n`

  test('gives the checksum of exactly the version', () => {
    expect(checksumIn(lines, '1.0.0')).toBe(one)
    expect(checksumIn(lines, '1.0.0+b')).toBe(two)
    expect(checksumIn(lines, '1.0')).toBeUndefined()
    expect(checksumIn('{"vers":"1.0.0","cksum":"x"}\nnull\n<html>', '1.0.0')).toBeUndefined()
  })

  test('is told from a page about an error', () => {
    expect(isIndexFile(lines)).toBe(true)
    for (const text of ['', '\n', '<html></html>', '{"error":"x"}', `${lines}<html>`]) expect(isIndexFile(text)).toBe(false)
  })
})

describe('the address of a crate', () => {
  const crate = { name: 'Serde', version: '1.0.0', checksum: 'abc' }
  test.each([
    ['https://crates.example/dl', 'https://crates.example/dl/Serde/1.0.0/download'],
    ['https://crates.example/{crate}/{version}.crate', 'https://crates.example/Serde/1.0.0.crate'],
    ['https://crates.example/{prefix}/{lowerprefix}/{sha256-checksum}', 'https://crates.example/Se/rd/se/rd/abc'],
    ['https://crates.example/{other}', 'https://crates.example/{other}/Serde/1.0.0/download'],
  ])('%s', (template, url) => expect(downloadUrl(template, crate)).toBe(url))

  test.each([['{"dl":"https://crates.example/dl"}', 'https://crates.example/dl'], ['{"dl":"file:///etc"}', undefined], ['{}', undefined], ['x', undefined]])('the template of %s', (config, template) => {
    expect(downloadTemplate(config)).toBe(template)
  })
})
