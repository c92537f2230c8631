import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readElf } from '../../src/domain/elf.ts'
import { compareReleases, isZlibSymbol, lowestMusl } from '../../src/domain/musl.ts'

describe('lowestMusl', () => {
  it.each([
    [['printf', 'malloc'], '1.2.0'],
    [['printf', 'reallocarray'], '1.2.2'],
    [['gettid', 'qsort_r'], '1.2.3'],
    [['statx', 'qsort_r'], '1.2.5'],
    [['posix_getdents'], '1.2.6'],
    [[], '1.2.0'],
  ])('%j need %s', (symbols, release) => {
    expect(lowestMusl(symbols)).toEqual({ release })
  })

  it('counts RELR relocations', () => {
    expect(lowestMusl(['qsort_r'], { relr: true })).toEqual({ release: '1.2.4' })
    expect(lowestMusl(['statx'], { relr: true })).toEqual({ release: '1.2.5' })
  })

  it('names what no release has', () => {
    expect(lowestMusl(['malloc', 'backtrace', 'fts_open', 'backtrace'])).toEqual({ missing: ['backtrace', 'fts_open'] })
  })

  it('takes the names of 64-bit files, which newer releases resolve for old programs', () => {
    expect(lowestMusl(['fopen64', 'lseek64'])).toEqual({ release: '1.2.0' })
  })

  it('knows 64-bit time on 32-bit machines alone', () => {
    expect(lowestMusl(['__clock_gettime64'], { bits: 32 })).toEqual({ release: '1.2.0' })
    expect(lowestMusl(['__clock_gettime64'], { bits: 64 })).toEqual({ missing: ['__clock_gettime64'] })
  })

  it('finds what a real module for musl asks of libc', () => {
    const elf = readElf(new Uint8Array(readFileSync(new URL('../../node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node', import.meta.url))))
    const foreign = /^(napi_|_Z|__cxa_(?!atexit|finalize)|__gxx_|__once_proxy|_Unwind)/
    const strong = elf.undefinedSymbols.filter((symbol) => !symbol.weak && !foreign.test(symbol.name)).map((symbol) => symbol.name)
    expect(strong.length).toBeGreaterThan(30)
    expect(lowestMusl(strong)).toEqual({ release: '1.2.0' })
  })
})

it('compares releases as numbers', () => {
  expect(['1.2.10', '1.2.5', '1.3', '1.2', '1.2.0'].sort(compareReleases)).toEqual(['1.2', '1.2.0', '1.2.5', '1.2.10', '1.3'])
})

it('knows zlib', () => {
  expect(isZlibSymbol('crc32')).toBe(true)
  expect(isZlibSymbol('BZ2_bzCompress')).toBe(false)
})
