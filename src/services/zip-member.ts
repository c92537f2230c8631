/**
 * Reads one member out of a zip of which any part can be asked for (APPNOTE 6.3). What Python's zipfile takes is taken, since that is what
 * installers read wheels with: comments, bytes before the archive, ZIP64, of two members of one name the last. Its bytes are a stranger's:
 * whatever is read is bounded, and what cannot be read throws `UnreadableZip`.
 */
import { crc32, inflateRawSync } from 'node:zlib'

export class UnreadableZip extends Error {}
/** Python may well read it. */
export class UnusualZip extends UnreadableZip {}

export interface ZipMember {
  name: string
  method: number
  encrypted: boolean
  crc: number
  compressed: number
  size: number
  /** Of its local header, from the start of the file. */
  offset: number
}

/** Bytes `start` to `end`, both included, of a file of `size` bytes. */
export interface ByteSource { size: number; read(start: number, end: number): Promise<Buffer> }

/** The longest comment, the end record before it, and ZIP64's locator and record before that. */
const END_BYTES = 22
const LONGEST_COMMENT = 0xffff
const LOCATOR_BYTES = 20
const RECORD_BYTES = 56
/** PyPI's largest wheels have 30 thousand members, and 100 bytes for each. */
const LARGEST_DIRECTORY = 16 * 1024 * 1024
const LARGEST_MEMBER = 8 * 1024 * 1024
/** What a local header may have that the directory does not tell. */
const HEADER_BYTES = 30
const SPARE_BYTES = 1024

/** The members of a zip whose names are wanted, in the order of its directory: the others, hundreds of thousands maybe, leave nothing in memory. */
export async function zipMembers(source: ByteSource, wanted: (name: string) => boolean): Promise<ZipMember[]> {
  const { size, offset, shift } = await findDirectory(source)
  if (size > LARGEST_DIRECTORY) throw new UnusualZip(`its directory has ${size} bytes`)
  const directory = size === 0 ? Buffer.alloc(0) : await source.read(offset + shift, offset + shift + size - 1)
  const members: ZipMember[] = []
  for (let at = 0; at < directory.length;) {
    const [member, next] = parseEntry(directory, at, shift)
    if (wanted(member.name)) members.push(member)
    at = next
  }
  return members
}

/** A member's bytes, checked by its CRC. */
export async function readMember(source: ByteSource, { name, method, encrypted, crc, compressed, size, offset }: ZipMember): Promise<Buffer> {
  if (encrypted) throw new UnreadableZip(`${name} is encrypted`)
  if (method !== 0 && method !== 8) throw new UnusualZip(`${name} is compressed by method ${method}`)
  if (Math.max(size, compressed) > LARGEST_MEMBER) throw new UnusualZip(`${name} has ${size} bytes`)
  const packed = await packedBytes(source, offset, name, compressed)
  const bytes = method === 0 ? packed : inflate(packed, name)
  if (bytes.length !== size || crc32(bytes) !== crc) throw new UnreadableZip(`${name} is damaged`)
  return bytes
}

async function packedBytes(source: ByteSource, offset: number, name: string, compressed: number): Promise<Buffer> {
  const guess = within(source, offset, HEADER_BYTES + Buffer.byteLength(name) + SPARE_BYTES + compressed)
  const head = await source.read(offset, guess)
  if (head.length < HEADER_BYTES || head.readUInt32LE(0) !== 0x04034b50) throw new UnreadableZip(`${name} is not where the directory says`)
  const start = HEADER_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28)
  if (start + compressed <= head.length) return head.subarray(start, start + compressed)
  if (offset + start + compressed > source.size) throw new UnreadableZip(`${name} is cut off`)
  return compressed === 0 ? Buffer.alloc(0) : await source.read(offset + start, offset + start + compressed - 1)
}

function inflate(packed: Buffer, name: string): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: LARGEST_MEMBER })
  } catch (error) {
    throw new UnreadableZip(`${name} cannot be decompressed`, { cause: error })
  }
}

function within({ size }: ByteSource, offset: number, length: number): number {
  if (offset < 0 || offset >= size) throw new UnreadableZip('a member lies outside the file')
  return Math.min(offset + length, size) - 1
}

/** `shift`: bytes that stand before the archive, by which all its offsets are too small. */
async function findDirectory(source: ByteSource): Promise<{ size: number; offset: number; shift: number }> {
  if (source.size < END_BYTES) throw new UnreadableZip('it is no zip')
  const tail = await source.read(Math.max(0, source.size - END_BYTES - LONGEST_COMMENT - LOCATOR_BYTES - RECORD_BYTES), source.size - 1)
  const at = findEnd(tail)
  const tailAt = source.size - tail.length
  let size = tail.readUInt32LE(at + 12)
  let offset = tail.readUInt32LE(at + 16)
  let end = tailAt + at
  const locator = at - LOCATOR_BYTES
  const record = locator - RECORD_BYTES
  // As zipfile has it: where there is a ZIP64 record it counts, and it stands right before its locator.
  if (record >= 0 && tail.readUInt32LE(locator) === 0x07064b50 && tail.readUInt32LE(record) === 0x06064b50) {
    size = safeNumber(tail.readBigUInt64LE(record + 40))
    offset = safeNumber(tail.readBigUInt64LE(record + 48))
    end = tailAt + record
  }
  const shift = end - size - offset
  if (shift < 0) throw new UnreadableZip('its directory lies outside the file')
  return { size, offset, shift }
}

/** The record without a comment at the very end, else the last that looks like one. */
function findEnd(tail: Buffer): number {
  const signature = Buffer.from([0x50, 0x4b, 5, 6])
  const plain = tail.length - END_BYTES
  if (tail.subarray(plain, plain + 4).equals(signature) && tail.readUInt16LE(plain + 20) === 0) return plain
  const at = tail.lastIndexOf(signature, plain)
  if (at < 0) throw new UnreadableZip('it is no zip')
  return at
}

function parseEntry(directory: Buffer, at: number, shift: number): [ZipMember, number] {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) throw new UnreadableZip('its directory is damaged')
  const flags = directory.readUInt16LE(at + 8)
  const nameEnd = at + 46 + directory.readUInt16LE(at + 28)
  const extraEnd = nameEnd + directory.readUInt16LE(at + 30)
  const next = extraEnd + directory.readUInt16LE(at + 32)
  if (next > directory.length) throw new UnreadableZip('its directory is damaged')
  // Names without the UTF-8 flag are cp437, which is ASCII where it matters here.
  const name = directory.toString((flags & 0x800) === 0 ? 'latin1' : 'utf8', at + 46, nameEnd)
  const [size, compressed, offset] = large(directory.subarray(nameEnd, extraEnd), [24, 20, 42].map((field) => directory.readUInt32LE(at + field)))
  return [{
    name, method: directory.readUInt16LE(at + 10), encrypted: (flags & 1) !== 0, crc: directory.readUInt32LE(at + 16),
    size: size!, compressed: compressed!, offset: offset! + shift,
  }, next]
}

/** ZIP64: numbers that do not fit stand in an extra field, in their order, and only those. */
function large(extra: Buffer, numbers: number[]): number[] {
  if (!numbers.includes(0xffffffff)) return numbers
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1 && end <= extra.length) {
      let next = at + 4
      return numbers.map((number) => {
        if (number !== 0xffffffff) return number
        if (next + 8 > end) throw new UnreadableZip('its directory is damaged')
        next += 8
        return safeNumber(extra.readBigUInt64LE(next - 8))
      })
    }
    at = end
  }
  throw new UnreadableZip('its directory is damaged')
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new UnreadableZip('its directory lies outside the file')
  return Number(value)
}
