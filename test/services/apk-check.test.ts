import { generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { parseApkIndex, type ApkEntry } from '../../src/domain/apk-index.ts'
import { createApkCheck } from '../../src/services/apk-check.ts'
import { makeApk, type MadeApk } from '../standin/apk/repository.ts'

/** How a gzip member begins, with all that is the same in each here: two bytes alone stand in a signature now and then. */
const MEMBER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0])

let apk: MadeApk
let entry: ApkEntry
beforeAll(async () => {
  const privateKey = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const files = { 'usr/lib/libquilt.so.2': Buffer.alloc(100_000, 'elf'), 'usr/share/noise': Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * 7) % 251)) }
  apk = await makeApk({ name: 'quilt', version: '2.0-r1', files }, { name: 'test.rsa.pub', privateKey })
  entry = parseApkIndex(apk.fields)[0] as ApkEntry
})

function problem(bytes: Buffer, by: Pick<ApkEntry, 'size' | 'checksum'> = entry, piece = 700): string | undefined {
  const check = createApkCheck(by)
  for (let at = 0; at < bytes.length; at += piece) check.add(bytes.subarray(at, at + piece))
  return check.problem()
}

function changed(at: number): Buffer {
  const bytes = Buffer.from(apk.bytes)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

test.each([1, 700, 16_384, 1 << 20])('the right bytes are right, in pieces of %i', (piece) => {
  expect(problem(apk.bytes, entry, piece)).toBeUndefined()
})

test('one byte more or less is told', () => {
  expect(problem(apk.bytes.subarray(1))).toMatch(/^has \d+ bytes, and its index says \d+$/)
  expect(problem(Buffer.concat([apk.bytes, Buffer.from('x')]))).toMatch(/bytes/)
})

test('another byte in any part of control or data is told', () => {
  const control = apk.bytes.indexOf(MEMBER, 2)
  const data = apk.bytes.indexOf(MEMBER, control + 2)
  expect(control).toBeGreaterThan(100)
  expect(problem(changed(control + 5))).toBe('is another one than its index says')
  expect(problem(changed(data - 2))).toBeDefined()
  expect(problem(changed(data + 5))).toBe('holds other files than it says itself')
  expect(problem(changed(apk.bytes.length - 3))).toBe('holds other files than it says itself')
})

test('an apk without a signature has its control part first', () => {
  const control = apk.bytes.indexOf(MEMBER, 2)
  const unsigned = apk.bytes.subarray(control)
  expect(problem(unsigned, { ...entry, size: unsigned.length })).toBeUndefined()
})

test('another apk of the same size is told', () => {
  expect(problem(apk.bytes, { ...entry, checksum: 'Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })).toBe('is another one than its index says')
})

test('what is no apk is told', () => {
  const noise = Buffer.alloc(entry.size, 'no apk')
  expect(problem(noise)).toBe('cannot be read')
  expect(problem(Buffer.alloc(0), { ...entry, size: 0 })).toBe('cannot be read')
  const page = gzipSync('x'.repeat(1000))
  expect(problem(page, { ...entry, size: page.length })).toBe('is another one than its index says')
  expect(problem(Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0, 255, 255, 1]), { ...entry, size: 13 })).toBe('cannot be read')
})

test('only the size counts where the index has no SHA-1', () => {
  expect(problem(apk.bytes, { ...entry, checksum: 'Q2x' })).toBeUndefined()
})

test('a gzip header may hold a name and more', () => {
  // RFC 1952: flags 4 (extra field), 8 (name), 16 (comment), 2 (checksum of the header).
  const control = apk.bytes.indexOf(MEMBER, 2)
  const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 30, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9]), Buffer.from('name\0comment\0'), Buffer.from([1, 2])])
  const bytes = Buffer.concat([header, apk.bytes.subarray(10, control), apk.bytes.subarray(control)])
  expect(problem(bytes, { ...entry, size: bytes.length })).toBeUndefined()
})
