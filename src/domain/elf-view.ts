/** Checked access to the bytes of an ELF file: every read is inside the file, and the reads of one file are bounded in all. */

export class ElfError extends Error {
  override readonly name = 'ElfError'
}

export interface Segment { type: number; offset: number; address: number; size: number }

export interface ElfView {
  wide: boolean
  machine: number
  segments: Segment[]
  u8(offset: number): number
  u16(offset: number): number
  u32(offset: number): number
  /** An address-sized number: 4 or 8 bytes. */
  word(offset: number): number
  /** The file offset of a virtual address. */
  offsetOf(address: number): number
  textAt(address: number): string
  textAtOffset(offset: number): string
}

/** Opens the header and the program headers (ELF specification, "ELF Header" and "Program Header"). Throws ElfError. */
export function elfView(bytes: Uint8Array): ElfView {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Crossed or endless tables would make a small file cost much: a sound one is read less than this often.
  let budget = 1_000_000 + bytes.length * 8
  const check = (offset: number, size: number) => {
    budget -= size
    if (budget < 0) throw new ElfError('its tables refer to the same bytes again and again')
    if (!(offset >= 0 && offset + size <= bytes.length)) throw new ElfError('it refers to bytes outside the file')
  }
  if (bytes.length < 20 || data.getUint32(0) !== 0x7f454c46) throw new ElfError('it is no ELF file')
  const wide = bytes[4] === 2
  const little = bytes[5] === 1
  if ((!wide && bytes[4] !== 1) || (!little && bytes[5] !== 2)) throw new ElfError('it is of no known ELF class')

  const u8 = (offset: number) => { check(offset, 1); return data.getUint8(offset) }
  const u16 = (offset: number) => { check(offset, 2); return data.getUint16(offset, little) }
  const u32 = (offset: number) => { check(offset, 4); return data.getUint32(offset, little) }
  const u64 = (offset: number) => { check(offset, 8); return Number(data.getBigUint64(offset, little)) }
  const word = wide ? u64 : u32

  const segments: Segment[] = []
  const start = word(wide ? 32 : 28)
  const size = u16(wide ? 54 : 42)
  if (size < (wide ? 56 : 32) && start > 0) throw new ElfError('its program headers are too short')
  for (let index = 0, count = start > 0 ? u16(wide ? 56 : 44) : 0; index < count; index += 1) {
    const at = start + index * size
    segments.push(wide
      ? { type: u32(at), offset: u64(at + 8), address: u64(at + 16), size: u64(at + 32) }
      : { type: u32(at), offset: u32(at + 4), address: u32(at + 8), size: u32(at + 16) })
  }

  const loads = segments.filter((segment) => segment.type === PT_LOAD)
  const offsetOf = (address: number) => {
    budget -= loads.length
    const load = loads.find((segment) => address >= segment.address && address - segment.address < segment.size)
    if (!load) throw new ElfError('it refers to memory that it does not load')
    return load.offset + (address - load.address)
  }
  const textAtOffset = (offset: number) => {
    check(offset, 1)
    const end = bytes.indexOf(0, offset)
    if (end < 0 || end - offset > MAX_TEXT) throw new ElfError('a name in it does not end')
    check(offset, end - offset)
    return decoder.decode(bytes.subarray(offset, end))
  }
  return { wide, machine: u16(18), segments, u8, u16, u32, word, offsetOf, textAtOffset, textAt: (address) => textAtOffset(offsetOf(address)) }
}

const PT_LOAD = 1
/** C++ names of templates grow long; the longest seen in a wheel is below a quarter of this. */
const MAX_TEXT = 65_536
const decoder = new TextDecoder()
