/** Adding wheels to uv.lock. */
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, wheelsAfter, type Insertion } from './insert.ts'
import { repeatedPlaces, type TomlPlace } from './toml-places.ts'
import { tables, text, type Table } from './toml.ts'
import { uvFilename, uvLocked, uvPackages } from './uv.ts'

const NOT_AS_UV = 'its files are not written as uv does: lock again'

/** The packages of a uv.lock. Throws `bad-lock` where they are not written as uv does. */
export function uvEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  const { packages } = uvPackages(name, content)
  const places = repeatedPlaces(content, 'package')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[package]], as uv does: lock again' }])
  return packages.map((each, index): LockEntry => {
    const { own } = places[index]!
    const { entry, source } = each
    const registry = text(source['registry'])
    const written = entry['wheels'] === undefined ? own.keys.has('sdist') : own.keys.get('wheels')?.items !== undefined
    return {
      ...uvLocked(each),
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
  return list ? intoList(content, list, listed.map((file) => uvFilename(file) ?? ''), entries) : [wheelsAfter(content, keys.get('sdist')!.end, entries)]
}
