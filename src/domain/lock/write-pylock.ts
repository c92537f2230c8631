/** Adding wheels to pylock.toml (PEP 751). */
import { normalizeName } from '../names.ts'
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, lineBreakNear, wheelsAfter, type Insertion } from './insert.ts'
import { lineEnd } from './spans.ts'
import { repeatedPlaces, type TomlPlace } from './toml-places.ts'
import { isTable, lastPart, readToml, table, tables, text, type Table } from './toml.ts'

/** The packages of a pylock.toml. Throws `bad-lock` where they are not written as lockers do. */
export function pylockEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  const packages = tables(readToml(name, content)['packages'])
  const places = repeatedPlaces(content, 'packages')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[packages]], as lockers do: lock again' }])
  return packages.map((entry, index): LockEntry => {
    const place = places[index]!
    const files = [...tables(entry['wheels']), ...isTable(entry['sdist']) ? [entry['sdist']] : []]
    return {
      project: normalizeName(text(entry['name']) ?? ''), version: text(entry['version']) ?? '',
      // PEP 751 "packages.vcs", "packages.directory", "packages.archive": each excludes files of an index.
      indexed: files.length > 0, locked: files.length > 0,
      hashes: files.flatMap((file) => Object.entries(table(file['hashes'])).map(([algorithm, value]) => `${algorithm}:${text(value) ?? ''}`.toLowerCase())),
      filenames: files.flatMap(filenameOf),
      closed: kindOf(place, entry) === undefined ? 'its files are not written as lockers do: lock again' : undefined,
      add: (wheels) => added(content, place, entry, wheels, rootOf(text(entry['index']))),
    }
  })
}

type Place = { own: TomlPlace; below: TomlPlace[] }

/** How its wheels are written: in a list (uv, pdm), or as tables of their own (pip). */
function kindOf({ own, below }: Place, entry: Table): 'list' | 'tables' | undefined {
  const names = new Set(below.map(({ path }) => path[1]))
  if (entry['wheels'] !== undefined) return own.keys.get('wheels')?.items ? 'list' : names.has('wheels') ? 'tables' : undefined
  return own.keys.has('sdist') ? 'list' : names.has('sdist') ? 'tables' : undefined
}

function added(content: string, place: Place, entry: Table, wheels: LockedWheel[], root: string): Insertion[] {
  const { own, below } = place
  if (kindOf(place, entry) === 'tables') return [tablesAfter(content, below, wheels, root)]
  const list = own.keys.get('wheels')
  const neighbour = list?.items?.[0] ?? own.keys.get('sdist')
  const like = neighbour && content.slice(neighbour.start, neighbour.end)
  const entries = wheels.map((wheel) => ({
    key: wheel.filename,
    entry: inlineTable({
      name: JSON.stringify(wheel.filename), url: JSON.stringify(wheelUrl(wheel, root)), size: String(wheel.size),
      hashes: inlineTable({ sha256: JSON.stringify(wheel.sha256) }, like),
    }, like),
  }))
  return list ? intoList(content, list, tables(entry['wheels']).map((file) => filenameOf(file)[0] ?? ''), entries) : [wheelsAfter(content, own.keys.get('sdist')!.end, entries)]
}

/** Behind the last wheel, or the sdist where there is none. */
function tablesAfter(content: string, below: TomlPlace[], wheels: LockedWheel[], root: string): Insertion {
  const last = below.findLast(({ path }) => path[1] === 'wheels') ?? below.findLast(({ path }) => path[1] === 'sdist')!
  const lines = wheels.toSorted((a, b) => a.filename < b.filename ? -1 : 1).flatMap((wheel) => [
    '', '[[packages.wheels]]', `name = ${JSON.stringify(wheel.filename)}`, `url = ${JSON.stringify(wheelUrl(wheel, root))}`, `size = ${wheel.size}`,
    '', '[packages.wheels.hashes]', `sha256 = ${JSON.stringify(wheel.sha256)}`,
  ])
  const end = lineBreakNear(content, last.end)
  return { at: lineEnd(content, last.end), text: lines.map((line) => end + line).join('') }
}

function filenameOf(file: Table): string[] {
  return [text(file['name']) ?? lastPart(text(file['url']) ?? text(file['path']))].filter((name) => name !== undefined)
}
