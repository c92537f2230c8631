import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/domain/quantity.ts'

test.each([['512m', 512 * 1024 ** 2], ['2g', 2 * 1024 ** 3], ['1.5 GiB', 1.5 * 1024 ** 3], ['10', 10], ['10kb', 10240], ['g', undefined], ['-1', undefined], ['1x', undefined], ['', undefined]])('size %s is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each([['90s', 90], ['30m', 1800], ['2h', 7200], ['1d', 86400], ['45', 45], ['m', undefined], ['1w', undefined]])('duration %s is %s seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test('what is written is read as the same', () => {
  expect([formatSize(4 * 1024 ** 3), formatSize(1025), formatDuration(1800), formatDuration(61), formatDuration(0)]).toEqual(['4g', '1025', '30m', '61s', '0'])
  fc.assert(fc.property(fc.nat(), (n) => parseSize(formatSize(n)) === n && parseDuration(formatDuration(n)) === n))
})
