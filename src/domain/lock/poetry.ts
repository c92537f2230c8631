/** poetry.lock, in the format of poetry 2 (which says of each package when it is installed) and in the older ones. */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, markerJudge, MOST_FILES, pythonRefusal } from './collect.ts'
import type { Lock, Wanted } from './pin.ts'
import { oldPackages, type PoetryPackage } from './poetry-old.ts'
import { isTable, packageTables, readToml, table, tables, text, texts, type Table } from './toml.ts'

/** Throws `bad-lock`. */
export function readPoetry(name: string, content: string): Lock {
  const { document, old, packages } = poetryPackages(name, content)
  const metadata = table(document['metadata'])
  return {
    name,
    kind: 'poetry',
    refusal: (environment) => pythonRefusal(text(metadata['python-versions']), environment),
    pins(environment: MarkerEnvironment, wanted: Wanted) {
      const chosen = old ? oldPackages(packages, table(document['extras']), environment, wanted) : packages.filter(judge(environment, wanted))
      return collectPins(chosen.filter(({ local }) => !local).map(({ pin }) => pin))
    },
  }
}

/** Its packages, in the order of their tables; `old`: they do not say when they are installed. Throws `bad-lock`. */
export function poetryPackages(name: string, content: string): { document: Table; old: boolean; packages: PoetryPackage[] } {
  const document = readToml(name, content)
  const version = text(table(document['metadata'])['lock-version'])
  const [, major, minor] = /^([12])\.([0-9]+)$/.exec(version ?? '1.0') ?? []
  if (major === undefined) throw badLock(name, [{ what: `it has version ${version} of its format; 1 and 2 are what can be read` }])
  const bad: BadLine[] = []
  const read = filesReader(document)
  const packages = packageTables(name, document, 'package', content).flatMap(({ table: entry, line }): PoetryPackage[] => {
    const problem = problemOf(entry)
    if (problem !== undefined) bad.push({ line, what: problem })
    return problem === undefined ? [{ name: normalizeName(text(entry['name'])!), ...lockedOf(entry, line, read(entry)) }] : []
  })
  if (bad.length > 0) throw badLock(name, bad)
  return { document, old: major === '1' || minor === '0', packages }
}

/** The groups that poetry leaves out by default are named in pyproject.toml alone: without a word all of them are planned. */
function judge(environment: MarkerEnvironment, { extras, groups }: Wanted): (each: PoetryPackage) => boolean {
  const applies = markerJudge(environment, extras, [])
  const wanted = groups && new Set(['main', ...groups.map(normalizeName)])
  return ({ entry }) => texts(entry['groups']).some((group) => {
    const marker = isTable(entry['markers']) ? text(entry['markers'][group]) : text(entry['markers'])
    return (wanted === undefined || wanted.has(normalizeName(group))) && applies(marker)
  })
}

function problemOf(entry: Table): string | undefined {
  const name = text(entry['name'])
  const version = text(entry['version'])
  if (name === undefined || !isValidName(name)) return 'a package without a name'
  if (version === undefined || !parseVersion(version)) return `${name} has no version that can be read`
  if (tables(entry['files']).length > MOST_FILES) return `${name} names more than ${MOST_FILES} files`
  const told = entry['markers']
  const markers = isTable(told) ? Object.values(told) : told === undefined ? [] : [told]
  return markers.every((marker) => typeof marker === 'string' && parseMarker(marker)) ? undefined : `${name} has a marker that cannot be read`
}

function lockedOf(entry: Table, line: number | undefined, { files, hashes }: Files): Omit<PoetryPackage, 'name'> {
  const source = text(table(entry['source'])['type'])
  return {
    pin: {
      project: normalizeName(text(entry['name'])!), version: text(entry['version'])!, line,
      hashes, filenames: undefined, only: undefined,
      // An index of the user's own is named as `legacy`.
      elsewhere: source === 'git' ? 'a git repository' : source === 'url' ? 'a URL of its own' : source === 'file' ? 'a file on disk' : undefined,
    },
    local: source === 'directory', hashes, files, entry,
  }
}

interface Files { files: Table[]; hashes: string[] }

/**
 * The files of a package. Before poetry's format 1.1 those of all packages stood in one table, by their names alone: packages of one name share
 * what was made of it, so that many of them cost no more than one.
 */
function filesReader(document: Table): (entry: Table) => Files {
  const apart = table(table(document['metadata'])['files'])
  const known = new Map<string, Files>()
  return (entry) => {
    if (entry['files'] !== undefined) return filesOf(entry['files'])
    const name = text(entry['name'])!
    const found = known.get(name) ?? filesOf(apart[name])
    known.set(name, found)
    return found
  }
}

function filesOf(list: unknown): Files {
  const files = tables(list)
  return { files, hashes: files.flatMap((file) => text(file['hash'])?.toLowerCase() ?? []) }
}
