/** Which musl a wheel needs: by its undefined symbols and relocations, since musl has neither symbol versions nor a version to ask for. */
import { MUSL_SYMBOLS, MUSL_TIME64 } from './data/musl-symbols.ts'
import { ZLIB_SYMBOLS } from './data/zlib-symbols.ts'

/**
 * The lowest release of musl that has all these symbols, from 1.2.0 on (the tag musllinux_1_2 promises that one), or the names that no
 * known release has. `relr`: the file holds RELR relocations, which need 1.2.4. `bits`: 32 knows 64-bit time under more names.
 */
export function lowestMusl(
  symbols: Iterable<string>, options: { relr?: boolean; bits?: 32 | 64 } = {},
): { release: string } | { missing: string[] } {
  let release = options.relr ? RELR_RELEASE : OLDEST
  const missing = new Set<string>()
  for (const symbol of symbols) {
    const since = SINCE.get(symbol) ?? (options.bits === 32 && TIME64.has(symbol) ? OLDEST : undefined)
    if (since === undefined) missing.add(symbol)
    else if (compareReleases(since, release) > 0) release = since
  }
  return missing.size > 0 ? { missing: [...missing] } : { release }
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; both are dotted numbers such as `1.2.5`. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [a, b].map((release) => release.split('.').map(Number)) as [number[], number[]]
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** True for what zlib's libz.so.1 exports, the one library besides libc that every musllinux system has (PEP 656's policy in auditwheel). */
export function isZlibSymbol(name: string): boolean {
  return ZLIB.has(name)
}

const OLDEST = '1.2.0'
const RELR_RELEASE = '1.2.4'
const names = (text: string) => text.trim().split(/\s+/)
const SINCE = new Map(MUSL_SYMBOLS.flatMap(([release, text]) => names(text).map((name) => [name, release] as const)))
const TIME64 = new Set(names(MUSL_TIME64))
const ZLIB = new Set(names(ZLIB_SYMBOLS))
