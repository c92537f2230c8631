/** Reading TOML that a stranger wrote: bounded, and with every value checked for its type. */
import { parse } from 'smol-toml'
import { badLock } from './bad-lock.ts'

export type Table = Record<string, unknown>

const DEEPEST = 50
/** Real ones have some thousand. */
const MOST_PACKAGES = 50_000

/** The document. Throws `bad-lock` with the place where it is broken. */
export function readToml(name: string, text: string): Table {
  try {
    return parse(text, { maxDepth: DEEPEST }) as Table
  } catch (error) {
    const { line } = error as { line?: number }
    throw badLock(name, [{ line, what: `it is not valid TOML: ${String(error instanceof Error ? error.message : error).split('\n')[0]}` }])
  }
}

/** The tables of `[[key]]`, each with the line of its header, as far as the headers can be told. Throws `bad-lock` where there are too many. */
export function packageTables(name: string, document: Table, key: string, text: string): { table: Table; line: number | undefined }[] {
  const found = tables(document[key])
  if (found.length > MOST_PACKAGES) throw badLock(name, [{ what: `it has ${found.length} packages; no lock has more than ${MOST_PACKAGES}` }])
  const lines: number[] = []
  const header = `[[${key}]]`
  text.split('\n').forEach((line, index) => { if (line.startsWith(header)) lines.push(index + 1) })
  return found.map((table, index) => ({ table, line: lines.length === found.length ? lines[index] : undefined }))
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** What an entry lists, its wheels first, as uv.lock and PEP 751 name them. */
export function wheelsAndSdist(entry: Table): Table[] {
  return [...tables(entry['wheels']), ...isTable(entry['sdist']) ? [entry['sdist']] : []]
}

/** The value as a table; the empty one where it is none. */
export function table(value: unknown): Table {
  return isTable(value) ? value : {}
}

export function tables(value: unknown): Table[] {
  return Array.isArray(value) ? value.filter(isTable) : []
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** The file name at the end of a URL or path. */
export function lastPart(location: string | undefined): string | undefined {
  const part = location?.replace(/[?#].*$/s, '').split(/[/\\]/).at(-1)
  try {
    return part === undefined ? undefined : decodeURIComponent(part)
  } catch {
    return part
  }
}
