/** pdm.lock, in the format of pdm 2.8 and later (4.4 and later of its own). */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, markerJudge, MOST_FILES, pythonRefusal } from './collect.ts'
import type { Lock, Locked, Wanted } from './pin.ts'
import { lastPart, packageTables, readToml, table, tables, text, texts, type Table } from './toml.ts'

/** Throws `bad-lock`. */
export function readPdm(name: string, content: string): Lock {
  const { document, packages } = pdmPackages(name, content)
  return {
    name,
    kind: 'pdm',
    refusal: (environment) => refusal(table(document['metadata']), environment),
    pins(environment: MarkerEnvironment, wanted: Wanted) {
      const applies = judge(environment, wanted)
      return collectPins(packages.filter(({ entry, local }) => !local && applies(entry)).map(({ pin }) => pin))
    },
  }
}

/** Its packages, in the order of their tables. Throws `bad-lock`. */
export function pdmPackages(name: string, content: string): { document: Table; packages: (Locked & { entry: Table; files: Table[] })[] } {
  const document = readToml(name, content)
  const version = text(table(document['metadata'])['lock_version'])
  if (!/^4\.\d+(?:\.\d+)?$/.test(version ?? '')) throw badLock(name, [{ what: `it has version ${version ?? 'none'} of its format; 4 is what can be read: lock again with a pdm of today` }])
  const bad: BadLine[] = []
  const packages = packageTables(name, document, 'package', content).flatMap(({ table: entry, line }) => {
    const problem = problemOf(entry)
    if (problem !== undefined) bad.push({ line, what: problem })
    return problem === undefined ? [{ entry, ...lockedOf(entry, line) }] : []
  })
  if (bad.length > 0) throw badLock(name, bad)
  return { document, packages }
}

/** Which groups pdm installs by default is told by pyproject.toml alone: without a word all of them are planned, as pdm locked them. */
function judge(environment: MarkerEnvironment, { extras, groups }: Wanted): (entry: Table) => boolean {
  const applies = markerJudge(environment, [], [])
  const wanted = groups && new Set(['default', ...[...groups, ...extras].map(normalizeName)])
  return (entry) => {
    // Without the strategy inherit_metadata the lock says neither group nor marker.
    const own = texts(entry['groups'])
    const isWanted = wanted === undefined || own.length === 0 || own.some((group) => wanted.has(normalizeName(group)))
    return isWanted && applies(text(entry['marker'])) && pythonRefusal(text(entry['requires_python']), environment) === undefined
  }
}

/** A lock for several targets fits where one of them does; before its format 4.5 it named a Python alone, in pyproject.toml. */
function refusal(metadata: Table, environment: MarkerEnvironment): string | undefined {
  const refusals = tables(metadata['targets']).map((target) => pythonRefusal(text(target['requires_python']), environment))
  return refusals.includes(undefined) ? undefined : refusals[0]
}

function problemOf(entry: Table): string | undefined {
  const name = text(entry['name'])
  const version = text(entry['version'])
  const marker = text(entry['marker'])
  if (name === undefined || !isValidName(name)) return 'a package without a name'
  if (version === undefined || !parseVersion(version)) return `${name} has no version that can be read`
  if (tables(entry['files']).length > MOST_FILES) return `${name} names more than ${MOST_FILES} files`
  return marker === undefined || parseMarker(marker) ? undefined : `${name} has a marker that cannot be read`
}

function lockedOf(entry: Table, line: number | undefined): Locked & { files: Table[] } {
  const files = tables(entry['files'])
  // The strategy static_urls has URLs in the place of names, and the index is never asked.
  const urls = files.flatMap((file) => lastPart(text(file['url'])) ?? [])
  const hashes = files.flatMap((file) => text(file['hash'])?.toLowerCase() ?? [])
  return {
    pin: {
      project: normalizeName(text(entry['name'])!), version: text(entry['version'])!, line,
      hashes, filenames: urls.length > 0 ? urls : undefined,
      only: undefined, elsewhere: elsewhere(entry),
    },
    local: entry['path'] !== undefined, hashes, files,
  }
}

function elsewhere(entry: Table): string | undefined {
  if (['git', 'hg', 'svn', 'bzr'].some((key) => entry[key] !== undefined)) return 'a repository'
  return entry['url'] === undefined ? undefined : 'a URL of its own'
}
