/** Whether musl's dynamic linker can load every ELF file of a wheel: it may reject, only the try-out accepts. */
import type { ElfFile } from './elf.ts'
import { compareReleases, isZlibSymbol, lowestMusl } from './musl.ts'
import { Refused } from './refused.ts'

interface NamedElf { name: string; elf: ElfFile }

interface System {
  /** As in platform tags. */
  cpu: string
  muslRelease: string
  /** Names of libraries that it has besides, with `*` for any characters. */
  outside: string[]
}

/** The figures for the record. Throws Refused with the first thing that is wrong. */
export function checkElfFiles(elfs: NamedElf[], { cpu, muslRelease, outside }: System): { lowestMusl: string | undefined; relr: boolean; bundled: string[] } {
  const libraries = new Set(elfs.flatMap(({ name, elf }) => [baseName(name), ...(elf.soname ? [elf.soname] : [])]))
  const defined = new Set(elfs.flatMap(({ elf }) => elf.definedSymbols))
  let lowest: string | undefined
  for (const { name, elf } of elfs) {
    const brought = elf.needed.filter((library) => outside.some((pattern) => namesLibrary(pattern, library)))
    checkLinks(name, elf, cpu, new Set([...libraries, ...brought]))
    const release = neededMusl(name, elf, defined, brought.length > 0)
    if (compareReleases(release, muslRelease) > 0) throw new Refused('not-musl', `${baseName(name)} needs musl ${release}, the target has ${muslRelease}`)
    if (lowest === undefined || compareReleases(release, lowest) > 0) lowest = release
  }
  const needed = new Set(elfs.flatMap(({ elf }) => elf.needed))
  const bundled = elfs.filter(({ name, elf }) => needed.has(baseName(name)) || (elf.soname !== undefined && needed.has(elf.soname)))
  return { lowestMusl: lowest, relr: elfs.some(({ elf }) => elf.relr), bundled: bundled.map(({ name }) => baseName(name)).sort() }
}

function checkLinks(name: string, elf: ElfFile, cpu: string, libraries: Set<string>): void {
  const file = baseName(name)
  if (elf.machine !== cpu) throw new Refused('wrong-wheel', `${file} is for ${elf.machine}, not ${cpu}`)
  const glibc = elf.neededVersions.find((version) => version.startsWith('GLIBC_')) ?? elf.needed.find((library) => GLIBC.test(library))
  if (glibc !== undefined) throw new Refused('not-musl', `${file} is linked with glibc (${glibc})`)
  if (elf.interpreter !== undefined && !/^\/lib\/ld-musl-[a-z0-9_]+\.so\.1$/.test(elf.interpreter)) {
    throw new Refused('not-musl', `${file} is started by ${elf.interpreter}`)
  }
  const lost = elf.needed.find((library) => !SYSTEM.test(library) && !libraries.has(library))
  if (lost !== undefined) throw new Refused('repair-failed', `${file} needs ${lost}, which is not in the wheel`)
  const path = [elf.rpath, elf.runpath].flatMap((paths) => paths?.split(':') ?? []).find((entry) => !staysInside(name, entry))
  if (path !== undefined) throw new Refused('wrong-wheel', `${file} looks for libraries in "${path}"`)
}

// PEP 656 leaves to the system what auditwheel's musllinux policies name: libc and zlib.
const SYSTEM = /^(?:libc\.so|libc\.musl-[a-z0-9_]+\.so\.1|libz\.so\.1)$/
const GLIBC = /^(?:libc\.so\.6|ld-linux.*|ld64\.so\..*|lib(?:m|dl|rt|pthread|util)\.so\.[0-9]+)$/

/** A search path that begins at the file itself and does not climb out of the wheel, into whatever lies beside it. */
function staysInside(name: string, path: string): boolean {
  const tail = /^\$(?:ORIGIN|\{ORIGIN\})(\/.*)?$/.exec(path)
  if (!tail) return false
  let depth = name.split('/').length - 1
  for (const part of (tail[1] ?? '').split('/')) {
    if (part === '..') depth -= 1
    else if (part !== '' && part !== '.') depth += 1
    if (depth < 0) return false
  }
  return true
}

/** Whether the pattern of a recipe's `exclude` names this library, as auditwheel reads it. */
export function namesLibrary(pattern: string, library: string): boolean {
  return new RegExp(`^${pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&')).join('[^/]*')}$`).test(library)
}

/** `more`: libraries that nobody sees here define some of its symbols; whether they do is for the try-out. */
function neededMusl(name: string, elf: ElfFile, defined: Set<string>, more: boolean): string {
  // What CPython itself exports is found in the process that loads the module, whichever way it was linked.
  const foreign = elf.undefinedSymbols.filter((symbol) => !symbol.weak && !defined.has(symbol.name) && !/^_?Py/.test(symbol.name) && !isZlibSymbol(symbol.name))
  const names = foreign.map((symbol) => symbol.name)
  const first = lowestMusl(names, elf)
  const found = 'missing' in first && more ? lowestMusl(names.filter((symbol) => !first.missing.includes(symbol)), elf) : first
  if ('release' in found) return found.release
  const rest = found.missing.length > 1 ? ` and ${found.missing.length - 1} more` : ''
  throw new Refused('not-musl', `${baseName(name)} calls ${found.missing[0]}${rest}, which musl does not have`)
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
