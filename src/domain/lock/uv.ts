/** uv.lock: a graph, walked from the project itself. */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, limitingHashes, markerJudge, MOST_FILES, pythonRefusal } from './collect.ts'
import type { Lock, Locked, Wanted } from './pin.ts'
import { isTable, lastPart, packageTables, readToml, table, tables, text, texts, wheelsAndSdist, type Table } from './toml.ts'
import { isLocal, walkUv } from './uv-graph.ts'
import type { UvPackage } from './uv-targets.ts'

/** Throws `bad-lock`. */
export function readUv(name: string, content: string): Lock {
  const { document, packages } = uvPackages(name, content)
  return {
    name,
    kind: 'uv',
    refusal(environment) {
      const supported = texts(document['supported-markers'])
      if (supported.length > 0 && !supported.some(markerJudge(environment, [], []))) return 'it is for other environments'
      return pythonRefusal(text(document['requires-python']), environment)
    },
    pins(environment: MarkerEnvironment, wanted: Wanted) {
      const found = walkUv(packages, table(document['manifest']), environment, wanted)
      return collectPins(found.map(uvLocked).filter(({ local }) => !local).map(({ pin }) => pin))
    },
  }
}

/** Its packages, in the order of their tables. Throws `bad-lock`. */
export function uvPackages(name: string, content: string): { document: Table; packages: UvPackage[] } {
  const document = readToml(name, content)
  const version = document['version']
  if (version !== 1) throw badLock(name, [{ what: `it has version ${typeof version === 'number' ? version : 'none'} of its format; 1 is what can be read` }])
  const bad: BadLine[] = []
  const packages = packageTables(name, document, 'package', content).flatMap(({ table: entry, line }): UvPackage[] => {
    const problem = problemOf(entry)
    if (problem !== undefined) bad.push({ line, what: problem })
    if (problem !== undefined) return []
    return [{ name: normalizeName(text(entry['name'])!), version: text(entry['version']), source: table(entry['source']), entry, line }]
  })
  if (bad.length > 0) throw badLock(name, bad)
  return { document, packages }
}

function problemOf(entry: Table): string | undefined {
  const name = text(entry['name'])
  const version = text(entry['version'])
  if (name === undefined || !isValidName(name)) return 'a package without a name'
  if (version !== undefined && !parseVersion(version)) return `${name} has the version ${version}, which is none`
  if (!isTable(entry['source'])) return `${name} has no source`
  if (version === undefined && entry['source']['registry'] !== undefined) return `${name} has no version`
  if (tables(entry['wheels']).length > MOST_FILES) return `${name} names more than ${MOST_FILES} files`
  const lists = [entry['dependencies'], ...['optional-dependencies', 'dev-dependencies'].flatMap((key) => Object.values(table(entry[key])))]
  const markers = [...lists.flatMap((list) => tables(list).flatMap((dependency) => text(dependency['marker']) ?? [])), ...texts(entry['resolution-markers'])]
  return markers.every((marker) => parseMarker(marker)) ? undefined : `${name} has a marker that cannot be read`
}

/** What it says of a package. */
export function uvLocked(each: UvPackage): Locked {
  const { name, version, source, entry, line } = each
  const files = wheelsAndSdist(entry)
  const hashes = files.map((file) => texts([file['hash']]).map((hash) => hash.toLowerCase()))
  return {
    pin: {
      project: name, version: version ?? '', line,
      hashes: limitingHashes(hashes), filenames: files.flatMap((file) => uvFilename(file) ?? []),
      only: undefined, elsewhere: elsewhere(source),
    },
    local: isLocal(each), hashes: hashes.flat(),
  }
}

export function uvFilename(file: Table): string | undefined {
  return text(file['filename']) ?? lastPart(text(file['url']) ?? text(file['path']))
}

function elsewhere({ registry, git, path }: Table): string | undefined {
  if (registry !== undefined) return undefined
  return git !== undefined ? 'a git repository' : path !== undefined ? 'a file on disk' : 'a URL of its own'
}
