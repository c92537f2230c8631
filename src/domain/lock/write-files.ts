/** Adding wheels to poetry.lock and pdm.lock: both list the files of a package by name and hash. */
import { versionKey } from '../version.ts'
import { badLock } from './bad-lock.ts'
import { wheelUrl, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inlineTable, intoList, type Insertion } from './insert.ts'
import { pdmPackages } from './pdm.ts'
import type { Locked } from './pin.ts'
import { poetryPackages } from './poetry.ts'
import type { ValueSpan } from './spans.ts'
import { repeatedPlaces, tomlPlaces } from './toml-places.ts'
import { text, type Table } from './toml.ts'

/** The packages of a poetry.lock. Throws `bad-lock` where they are not written as poetry does. */
export function poetryEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  return fileEntries(name, content, poetryPackages(name, content).packages, rootOf)
}

/** The packages of a pdm.lock. Throws `bad-lock` where they are not written as pdm does. */
export function pdmEntries(name: string, content: string, rootOf: RootOf): LockEntry[] {
  return fileEntries(name, content, pdmPackages(name, content).packages, rootOf)
}

function fileEntries(name: string, content: string, packages: (Locked & { entry: Table; files: Table[] })[], rootOf: RootOf): LockEntry[] {
  const places = repeatedPlaces(content, 'package')
  if (places.length !== packages.length) throw badLock(name, [{ what: 'its packages are not written as [[package]], as lockers do: lock again' }])
  // Before poetry's format 2 the files of all packages stood in one table.
  const apart = tomlPlaces(content).find(({ path }) => path.join('.') === 'metadata.files')
  const apartOnce = new Set<string>()
  return packages.flatMap(({ entry, files, pin, local, hashes }, index): LockEntry[] => {
    const inside = entry['files'] !== undefined
    const release = `${pin.project} ${versionKey(pin.version)}`
    // Packages of one release that share a list are one place.
    if (!inside && apartOnce.has(release)) return []
    if (!inside) apartOnce.add(release)
    const list = inside ? places[index]!.own.keys.get('files') : apart?.keys.get(text(entry['name'])!)
    return [{
      pin, local, hashes,
      closed: list?.items?.length === files.length ? undefined : 'its files are not written as lockers do: lock again',
      add: (wheels) => list ? added(content, list, files, wheels, rootOf) : [],
    }]
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
