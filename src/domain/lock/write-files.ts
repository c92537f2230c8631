/** Adding wheels to poetry.lock and pdm.lock: both list the files of a package by name and hash. */
import { normalizeName } from '../names.ts'
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, type Insertion } from './insert.ts'
import type { ValueSpan } from './spans.ts'
import { repeatedPlaces, tomlPlaces } from './toml-places.ts'
import { isTable, readToml, table, tables, text, type Table } from './toml.ts'

/** The packages of a poetry.lock or pdm.lock. Throws `bad-lock` where they are not written as their tools do. */
export function fileEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  const document = readToml(name, content)
  const packages = tables(document['package'])
  const places = repeatedPlaces(content, 'package')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[package]], as lockers do: lock again' }])
  // Before poetry's format 2 the files of all packages stood in one table.
  const apart = tomlPlaces(content).find(({ path }) => path.join('.') === 'metadata.files')
  const filesApart = table(table(document['metadata'])['files'])
  return packages.map((entry, index): LockEntry => {
    const own = text(entry['name']) ?? ''
    const inside = entry['files'] !== undefined
    const files = tables(inside ? entry['files'] : filesApart[own])
    const list = inside ? places[index]!.own.keys.get('files') : apart?.keys.get(own)
    const hashes = files.flatMap((file) => text(file['hash'])?.toLowerCase() ?? [])
    return {
      project: normalizeName(own), version: text(entry['version']) ?? '',
      indexed: isFromIndex(entry), locked: hashes.length > 0,
      hashes, filenames: [],
      closed: list?.items?.length === files.length ? undefined : 'its files are not written as lockers do: lock again',
      add: (wheels) => list ? added(content, list, files, wheels, rootOf) : [],
    }
  })
}

function added(content: string, list: ValueSpan, files: Table[], wheels: LockedWheel[], rootOf: RootOf): Insertion[] {
  const neighbour = list.items?.[0]
  // pdm's strategy static_urls names URLs in the place of files.
  const key = files.some((file) => file['url'] !== undefined) ? 'url' : 'file'
  return intoList(content, list, files.map((file) => text(file[key]) ?? ''), wheels.map((wheel) => {
    const place = key === 'url' ? wheelUrl(wheel, rootOf(undefined)) : wheel.filename
    return { key: place, entry: inlineTable({ [key]: JSON.stringify(place), hash: JSON.stringify(`sha256:${wheel.sha256}`) }, neighbour && content.slice(neighbour.start, neighbour.end)) }
  }))
}

/** poetry names an index of the user's own as `legacy`; pdm has keys for all that is not from one. */
function isFromIndex(entry: Table): boolean {
  const { source } = entry
  if (isTable(source)) return [undefined, 'legacy'].includes(text(source['type']))
  return !['git', 'hg', 'svn', 'bzr', 'url', 'path'].some((key) => entry[key] !== undefined)
}
