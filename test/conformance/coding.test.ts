import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decoded } from './coding.ts'

const BODY = Buffer.from('{"projects":[]}')

test('a body counts in the coding that was asked for alone', () => {
  expect(decoded(BODY, undefined, 'identity')).toEqual(BODY)
  expect(decoded(gzipSync(BODY), 'gzip', 'gzip')).toEqual(BODY)
  expect(decoded(zstdCompressSync(BODY), 'zstd', 'zstd')).toEqual(BODY)
  expect(() => decoded(BODY, undefined, 'zstd')).toThrow('it came in no coding instead of zstd')
  expect(() => decoded(gzipSync(BODY), 'gzip', 'zstd')).toThrow('gzip instead of zstd')
  expect(() => decoded(gzipSync(BODY), 'gzip', 'identity')).toThrow('gzip instead of identity')
  expect(() => decoded(BODY, 'zstd', 'zstd'), 'what it says it is').toThrow()
})
