/** Adding wheels to uv.lock. */
import { normalizeName } from '../names.ts'
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, wheelsAfter, type Insertion } from './insert.ts'
import { repeatedPlaces, type TomlPlace } from './toml-places.ts'
import { isTable, lastPart, readToml, table, tables, text, type Table } from './toml.ts'

const NOT_AS_UV = 'its files are not written as uv does: lock again'

/** The packages of a uv.lock. Throws `bad-lock` where they are not written as uv does. */
export function uvEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  const packages = tables(readToml(name, content)['package'])
  const places = repeatedPlaces(content, 'package')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[package]], as uv does: lock again' }])
  return packages.map((entry, index): LockEntry => {
    const { own } = places[index]!
    const registry = text(table(entry['source'])['registry'])
    const files = [...tables(entry['wheels']), ...isTable(entry['sdist']) ? [entry['sdist']] : []]
    const written = entry['wheels'] === undefined ? own.keys.has('sdist') : own.keys.get('wheels')?.items !== undefined
    return {
      project: normalizeName(text(entry['name']) ?? ''), version: text(entry['version']) ?? '',
      indexed: registry !== undefined, locked: files.length > 0,
      hashes: files.flatMap((file) => text(file['hash'])?.toLowerCase() ?? []),
      filenames: files.flatMap(filenameOf),
      // A folder as an index names paths, and has no place for URLs.
      closed: !/^https?:/.test(registry ?? '') ? 'its index is a folder, which has no URLs' : written ? undefined : NOT_AS_UV,
      add: (wheels) => added(content, own, tables(entry['wheels']), wheels, rootOf(registry)),
    }
  })
}

function added(content: string, { keys }: TomlPlace, listed: Table[], wheels: LockedWheel[], root: string): Insertion[] {
  const list = keys.get('wheels')
  const neighbour = list?.items?.[0]
  const entries = wheels.map((wheel) => ({
    key: wheel.filename,
    entry: inlineTable({ url: JSON.stringify(wheelUrl(wheel, root)), hash: JSON.stringify(`sha256:${wheel.sha256}`), size: String(wheel.size) }, neighbour && content.slice(neighbour.start, neighbour.end)),
  }))
  return list ? intoList(content, list, listed.map((file) => filenameOf(file)[0] ?? ''), entries) : [wheelsAfter(content, keys.get('sdist')!.end, entries)]
}

function filenameOf(file: Table): string[] {
  return [text(file['filename']) ?? lastPart(text(file['url']) ?? text(file['path']))].filter((name) => name !== undefined)
}
