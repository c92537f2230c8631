import { randomBytes } from 'node:crypto'
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter, type ZipWriterAddDataOptions } from '@zip.js/zip.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readWheelMetadata } from '../../src/services/wheel-metadata.ts'
import { type ByteSource, UnreadableZip } from '../../src/services/zip-member.ts'

const NAME = 'My_Demo-1.0-py3-none-any.whl'
const METADATA = Buffer.from(`Metadata-Version: 2.1\nName: my-demo\nVersion: 1.0\n\n${'long text '.repeat(500)}`)
const OWN: Members = { 'my_demo-1.0.dist-info/METADATA': METADATA }

type Members = Record<string, Uint8Array>

async function zip(members: Members, options: ZipWriterAddDataOptions = {}, comment = ''): Promise<Buffer> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false })
  for (const [name, bytes] of Object.entries(members)) await writer.add(name, new Uint8ArrayReader(bytes), options)
  return Buffer.from(await writer.close(Buffer.from(comment)))
}

/** What was read, start and end of each. */
function source(bytes: Buffer): ByteSource & { reads: [number, number][] } {
  const reads: [number, number][] = []
  return { size: bytes.length, reads, async read(start, end) { reads.push([start, end]); return bytes.subarray(start, end + 1) } }
}

const metadata = async (bytes: Buffer, filename = NAME) => (await readWheelMetadata(source(bytes), filename)).toString()
const big = (length: number): Members => ({ 'my_demo/data.bin': randomBytes(length) })

describe('the METADATA of a wheel', () => {
  test.each([
    ['deflated', () => zip(OWN)],
    ['stored', () => zip(OWN, { level: 0 })],
    ['of a ZIP64 archive', () => zip(OWN, { zip64: true })],
    ['behind a comment', () => zip(OWN, {}, 'a comment with PK in it '.repeat(1000))],
    ['behind other bytes', async () => Buffer.concat([Buffer.from('#!/bin/sh\n'.repeat(999)), await zip(OWN)])],
    ['with data descriptors', () => zip(OWN, { dataDescriptor: true })],
    ['before all other members', () => zip({ ...OWN, ...big(300_000) })],
    ['behind them', () => zip({ ...big(300_000), ...OWN })],
    ['among a hundred thousand bytes of directory', () => zip({ ...Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`my_demo/${'a'.repeat(200)}${at}.py`, Buffer.alloc(0)])), ...OWN })],
    ['beside one of something that it carries', () => zip({ ...OWN, 'my_demo/_vendor/other-2.0.dist-info/METADATA': Buffer.from('other'), 'other-2.0.dist-info/METADATA': Buffer.from('other') })],
    ['of another spelling of its version', () => zip({ 'My.Demo-1.0.0.dist-info/METADATA': METADATA })],
    ['of another version, where there is no other', () => zip({ 'my_demo-1.1.dist-info/METADATA': METADATA })],
  ])('%s', async (_, make) => {
    expect(await metadata(await make())).toBe(METADATA.toString())
  })

  test('takes few small reads', async () => {
    const bytes = source(await zip({ ...big(1_000_000), ...OWN }))
    await readWheelMetadata(bytes, NAME)
    expect(bytes.reads).toEqual([[expect.any(Number), bytes.size - 1]])
    const first = source(await zip({ ...OWN, ...big(1_000_000) }))
    await readWheelMetadata(first, NAME)
    expect(first.reads.map(([start, end]) => end - start < 70_000)).toEqual([true, true])
  })

  test.each([
    ['no zip', async () => Buffer.from('<html>log in</html>'.repeat(50))],
    ['nothing', async () => Buffer.alloc(0)],
    ['a zip without any', () => zip(big(10))],
    ['that of others alone', () => zip({ 'a-1.0.dist-info/METADATA': METADATA, 'b-1.0.dist-info/METADATA': METADATA })],
    ['one of another project', () => zip({ 'other-1.0.dist-info/METADATA': METADATA })],
    ['an encrypted one', () => zip(OWN, { password: 'x' })],
    ['one that is larger than any', () => zip({ 'my_demo-1.0.dist-info/METADATA': Buffer.alloc(9_000_000) })],
    ['a damaged one', async () => { const bytes = await zip(OWN, { level: 0 }); bytes[200]! ^= 1; return bytes }],
    ['a cut zip', async () => (await zip({ ...OWN, ...big(500) })).subarray(0, -30)],
  ])('of %s cannot be read', async (_, make) => {
    await expect(metadata(await make())).rejects.toBeInstanceOf(UnreadableZip)
  })

  test('of a directory that says it is larger than the file, or than any', async () => {
    for (const [size, offset] of [[0xfffffff0, 0], [4_000_000_000, 5], [10, 0xffff0000]] as const) {
      const bytes = await zip(OWN)
      bytes.writeUInt32LE(size, bytes.length - 10)
      bytes.writeUInt32LE(offset, bytes.length - 6)
      await expect(metadata(bytes)).rejects.toBeInstanceOf(UnreadableZip)
    }
  })

  test('of a wheel with any byte changed is right, or cannot be read', async () => {
    const good = await zip({ ...OWN, ...big(20) })
    await fc.assert(fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const bytes = Buffer.from(good)
      bytes[at]! ^= flip
      const got = await metadata(bytes).catch((error: unknown) => error)
      expect(got instanceof UnreadableZip || got === METADATA.toString()).toBe(true)
    }), { numRuns: 300 })
  })
})
