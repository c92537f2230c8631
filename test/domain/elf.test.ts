import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ElfError, isElf, readElf } from '../../src/domain/elf.ts'
import { ELF } from '../fixtures/elf.ts'

const names = (bytes: Uint8Array) => readElf(bytes).undefinedSymbols.map((symbol) => symbol.name).sort()
const prebuilt = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../node_modules/better-sqlite3/prebuilds/${name}.node`, import.meta.url))))

describe('readElf', () => {
  it('reads an extension linked for musl', () => {
    const elf = readElf(ELF.musl)
    expect(elf).toMatchObject({
      machine: 'x86_64', bits: 64, needed: ['libc.so'], soname: 'ext.so', runpath: '$ORIGIN/../x.libs', rpath: undefined,
      interpreter: undefined, relr: false, neededVersions: [],
    })
    expect(elf.definedSymbols.sort()).toEqual(['PyInit_ext', 'helper'])
    expect(names(ELF.musl)).toEqual(['PyModule_Create2', 'backtrace', 'crc32', 'maybe', 'qsort_r', 'strdup'])
    expect(elf.undefinedSymbols.filter((symbol) => symbol.weak)).toEqual([{ name: 'maybe', weak: true }])
  })

  it('reads the symbol versions that glibc asks for', () => {
    const elf = readElf(ELF.glibc)
    expect(elf.needed).toEqual(['libc.so.6'])
    expect(elf.neededVersions.sort()).toEqual(['GLIBC_2.2.5', 'GLIBC_2.8'])
    expect(elf.undefinedSymbols.find((symbol) => symbol.name === 'qsort_r')).toEqual({ name: 'qsort_r', weak: false, version: 'GLIBC_2.8' })
  })

  it('counts symbols by the old hash table', () => {
    expect(names(ELF.sysv)).toEqual(names(ELF.musl))
    expect(readElf(ELF.sysv).runpath).toBe('/usr/lib')
  })

  it('reads 32 bits', () => {
    expect(readElf(ELF.narrow)).toMatchObject({ machine: 'i686', bits: 32 })
    expect(names(ELF.narrow)).toEqual(names(ELF.musl))
  })

  it('sees RELR relocations', () => {
    expect(readElf(ELF.relr).relr).toBe(true)
  })

  it('finds the symbols of an executable that exports nothing', () => {
    expect(readElf(ELF.executable).interpreter).toBe('/lib/ld-musl-x86_64.so.1')
    expect(names(ELF.executable)).toEqual(expect.arrayContaining(['__libc_start_main', 'puts']))
  })

  it('reads the modules that real projects ship', () => {
    expect(readElf(prebuilt('linux-x64'))).toMatchObject({ machine: 'x86_64', needed: expect.arrayContaining(['libc.so.6']) })
    expect(readElf(prebuilt('linux-arm64')).machine).toBe('aarch64')
    const musl = readElf(prebuilt('linuxmusl-x64'))
    expect(musl.neededVersions.filter((version) => version.startsWith('GLIBC_'))).toEqual([])
    expect(musl.undefinedSymbols.map((symbol) => symbol.name)).toContain('napi_create_function')
  })

  it('refuses what is no ELF file', () => {
    for (const bytes of [new Uint8Array(), ELF.musl.subarray(0, 4), ELF.musl.subarray(0, 60), new TextEncoder().encode('#!/bin/sh\necho not an ELF file\n')]) {
      expect(() => readElf(bytes)).toThrow(ElfError)
    }
    expect(isElf(ELF.musl)).toBe(true)
    expect(isElf(new TextEncoder().encode('PK'))).toBe(false)
  })

  it('ends, with an answer or its own error, whatever bytes are changed', () => {
    const samples = Object.values(ELF)
    const change = fc.tuple(fc.nat({ max: 1200 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(fc.property(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 12 }), fc.nat({ max: 20_000 }), (sample, changes, cut) => {
      const bytes = sample.slice(0, cut > sample.length ? sample.length : Math.max(64, cut))
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      try { readElf(bytes) } catch (error) { expect(error).toBeInstanceOf(ElfError) }
    }), { numRuns: 3000 })
  })

  it('ends where any address, size or count in it is vast', () => {
    for (const sample of Object.values(ELF)) {
      for (let at = 0; at + 8 <= sample.length; at += 8) {
        const bytes = sample.slice()
        bytes.fill(0xff, at, at + 4)
        try { readElf(bytes) } catch (error) { expect(error).toBeInstanceOf(ElfError) }
      }
    }
  })
})
