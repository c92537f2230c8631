/** What a dynamic linker sees of an ELF file: read from the program headers and the dynamic segment, since sections may be stripped. */
import { elfView, type ElfView, type Segment } from './elf-view.ts'

export { ElfError } from './elf-view.ts'

export interface ElfSymbol { name: string; weak: boolean; version?: string }

export interface ElfFile {
  /** The CPU as platform tags write it (`x86_64`), or `machine 247` for one that has no tag. */
  machine: string
  bits: 32 | 64
  needed: string[]
  rpath: string | undefined
  runpath: string | undefined
  soname: string | undefined
  interpreter: string | undefined
  /** Holds RELR relocations (DT_RELR), which musl knows since 1.2.4 and older ones skip without a word. */
  relr: boolean
  undefinedSymbols: ElfSymbol[]
  definedSymbols: string[]
  /** Every symbol version it asks of others, `GLIBC_2.17` for instance. */
  neededVersions: string[]
}

/** True for bytes that start as an ELF file does, whatever follows. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

/** Reads an ELF file (32 or 64 bits, either byte order). Throws ElfError, and nothing else, where it is malformed; work is bounded by its size. */
export function readElf(bytes: Uint8Array): ElfFile {
  const view = elfView(bytes)
  const interpreter = view.segments.find((segment) => segment.type === PT_INTERP)
  const tags = dynamicTags(view)
  const first = (tag: number) => tags.find((entry) => entry.tag === tag)?.value
  const strings = first(DT_STRTAB)
  const text = (offset: number | undefined) => offset === undefined || strings === undefined ? undefined : view.textAt(strings + offset)
  const versions = neededVersions(view, first(DT_VERNEED), first(DT_VERNEEDNUM) ?? 0, text)
  const symbols = readSymbols(view, first, text, versions)
  return {
    machine: MACHINES[view.machine] ?? `machine ${view.machine}`,
    bits: view.wide ? 64 : 32,
    needed: tags.filter((entry) => entry.tag === DT_NEEDED).map((entry) => text(entry.value) ?? ''),
    rpath: text(first(DT_RPATH)),
    runpath: text(first(DT_RUNPATH)),
    soname: text(first(DT_SONAME)),
    interpreter: interpreter && view.textAtOffset(interpreter.offset),
    relr: first(DT_RELR) !== undefined,
    neededVersions: [...new Set(versions.values())],
    ...symbols,
  }
}

const MACHINES: Record<number, string> = {
  3: 'i686', 20: 'ppc', 21: 'ppc64le', 22: 's390x', 40: 'armv7l', 62: 'x86_64', 183: 'aarch64', 243: 'riscv64', 258: 'loongarch64',
}

const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NEEDED = 1
const DT_HASH = 4
const DT_STRTAB = 5
const DT_SYMTAB = 6
const DT_SONAME = 14
const DT_RPATH = 15
const DT_RUNPATH = 29
const DT_RELR = 36
const DT_GNU_HASH = 0x6ffffef5
const DT_VERSYM = 0x6ffffff0
const DT_VERNEED = 0x6ffffffe
const DT_VERNEEDNUM = 0x6fffffff

type Text = (offset: number | undefined) => string | undefined
type First = (tag: number) => number | undefined

function dynamicTags(view: ElfView): { tag: number; value: number }[] {
  const segment = view.segments.find((candidate: Segment) => candidate.type === PT_DYNAMIC)
  if (!segment) return []
  const tags: { tag: number; value: number }[] = []
  const size = view.wide ? 16 : 8
  for (let offset = segment.offset; offset + size <= segment.offset + segment.size; offset += size) {
    const tag = view.word(offset)
    if (tag === 0) break
    tags.push({ tag, value: view.word(offset + size / 2) })
  }
  return tags
}

function neededVersions(view: ElfView, table: number | undefined, count: number, text: Text): Map<number, string> {
  const versions = new Map<number, string>()
  let need = table
  for (let index = 0; index < count && need !== undefined; index += 1) {
    const offset = view.offsetOf(need)
    let aux = need + view.u32(offset + 8)
    for (let entry = view.u16(offset + 2); entry > 0; entry -= 1) {
      const at = view.offsetOf(aux)
      versions.set(view.u16(at + 6) & 0x7fff, text(view.u32(at + 8)) ?? '')
      const step = view.u32(at + 12)
      if (step === 0) break
      aux += step
    }
    const step = view.u32(offset + 12)
    need = step === 0 ? undefined : need + step
  }
  return versions
}

function readSymbols(view: ElfView, first: First, text: Text, versions: Map<number, string>) {
  const undefinedSymbols: ElfSymbol[] = []
  const definedSymbols: string[] = []
  const table = first(DT_SYMTAB)
  if (table === undefined) return { undefinedSymbols, definedSymbols }
  const versym = first(DT_VERSYM)
  const size = view.wide ? 24 : 16
  const count = symbolCount(view, table, size, first)
  for (let index = 1; index < count; index += 1) {
    const offset = view.offsetOf(table + index * size)
    const binding = view.u8(offset + (view.wide ? 4 : 12)) >> 4
    const visibility = view.u8(offset + (view.wide ? 5 : 13)) & 3
    const section = view.u16(offset + (view.wide ? 6 : 14))
    // STB_LOCAL takes no part in linking; 10 is GNU_UNIQUE, which C++ uses for its inline statics.
    if (binding !== 1 && binding !== 2 && binding !== 10) continue
    const name = text(view.u32(offset))
    if (!name) continue
    if (section === 0) {
      const version = versym === undefined ? undefined : versions.get(view.u16(view.offsetOf(versym + index * 2)) & 0x7fff)
      undefinedSymbols.push({ name, weak: binding === 2, ...(version === undefined ? {} : { version }) })
    } else if (visibility === 0 || visibility === 3) definedSymbols.push(name)
  }
  return { undefinedSymbols, definedSymbols }
}

// The dynamic segment names no count: the hash tables imply it. GNU's lists only what is defined, which comes last.
function symbolCount(view: ElfView, table: number, size: number, first: First): number {
  const hash = first(DT_HASH)
  if (hash !== undefined) return view.u32(view.offsetOf(hash) + 4)
  const gnu = first(DT_GNU_HASH)
  const last = gnu === undefined ? 0 : lastHashed(view, view.offsetOf(gnu))
  if (last > 0) return last + 1
  // An executable that exports nothing has an empty GNU table: its symbols end where the next table starts.
  const ends = [DT_STRTAB, DT_VERSYM, DT_VERNEED, DT_GNU_HASH].map(first).filter((end) => end !== undefined && end > table) as number[]
  return ends.length === 0 ? 0 : Math.floor((Math.min(...ends) - table) / size)
}

function lastHashed(view: ElfView, offset: number): number {
  const buckets = view.u32(offset)
  const firstHashed = view.u32(offset + 4)
  const start = offset + 16 + view.u32(offset + 8) * (view.wide ? 8 : 4)
  let last = 0
  for (let bucket = 0; bucket < buckets; bucket += 1) last = Math.max(last, view.u32(start + bucket * 4))
  if (last < firstHashed) return 0
  const chains = start + buckets * 4
  while ((view.u32(chains + (last - firstHashed) * 4) & 1) === 0) last += 1
  return last
}
