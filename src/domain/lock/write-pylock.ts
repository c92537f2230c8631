/** Adding wheels to pylock.toml (PEP 751). */
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, lineBreakNear, wheelsAfter, type Insertion } from './insert.ts'
import { pylockFilename, pylockPackages } from './pylock.ts'
import { lineEnd } from './spans.ts'
import { repeatedPlaces, type TomlPlace } from './toml-places.ts'
import { tables, text, type Table } from './toml.ts'

/** The packages of a pylock.toml. Throws `bad-lock` where they are not written as lockers do. */
export function pylockEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  const { packages } = pylockPackages(name, content)
  const places = repeatedPlaces(content, 'packages')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[packages]], as lockers do: lock again' }])
  return packages.map(({ entry, pin, local, hashes }, index): LockEntry => {
    const place = places[index]!
    return {
      pin, local, hashes,
      closed: formOf(place, entry) === undefined ? 'its files are not written as lockers do: lock again' : undefined,
      add: (wheels) => added(content, place, entry, wheels, rootOf(text(entry['index']))),
    }
  })
}

type Place = { own: TomlPlace; below: TomlPlace[] }

/** How its wheels are written: in a list (uv, pdm), or as tables of their own (pip). */
function formOf({ own, below }: Place, entry: Table): 'list' | 'tables' | undefined {
  const names = new Set(below.map(({ path }) => path[1]))
  if (entry['wheels'] !== undefined) return own.keys.get('wheels')?.items ? 'list' : names.has('wheels') ? 'tables' : undefined
  return own.keys.has('sdist') ? 'list' : names.has('sdist') ? 'tables' : undefined
}

function added(content: string, place: Place, entry: Table, wheels: LockedWheel[], root: string): Insertion[] {
  const { own, below } = place
  if (formOf(place, entry) === 'tables') return [tablesAfter(content, below, wheels, root)]
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
  return list ? intoList(content, list, tables(entry['wheels']).map((file) => pylockFilename(file) ?? ''), entries) : [wheelsAfter(content, own.keys.get('sdist')!.end, entries)]
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
