/** Pipfile.lock, in the one format that pipenv has written since 2017. */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, markerJudge, MOST_FILES } from './collect.ts'
import type { Lock, Locked, Wanted } from './pin.ts'
import { isTable, table, text, texts, type Table } from './toml.ts'

/** Real ones have some hundred. */
const MOST_PACKAGES = 50_000

/** `category` and `name` are what it stands under. */
interface Package extends Locked { category: string; name: string; marker: string | undefined }

/** Throws `bad-lock`. */
export function readPipfile(name: string, content: string): Lock {
  const { document, packages } = pipfilePackages(name, content)
  const requires = table(table(document['_meta'])['requires'])
  return {
    name,
    kind: 'pipfile',
    refusal: (environment) => refusal(requires, environment),
    pins(environment: MarkerEnvironment, { groups }: Wanted) {
      const applies = markerJudge(environment, [], [])
      // `pipenv sync` installs the default category alone, `--dev` the one named develop too.
      const wanted = new Set(['default', ...(groups ?? []).map((group) => group === 'dev' || group === 'dev-packages' ? 'develop' : group)])
      return collectPins(packages.filter(({ category, local, marker }) => wanted.has(category) && !local && applies(marker)).map(({ pin }) => pin))
    },
  }
}

/** The packages of `default`, `develop` and the categories of the user's own. Throws `bad-lock`. */
export function pipfilePackages(name: string, content: string): { document: Table; packages: Package[] } {
  const document = documentOf(name, content)
  const categories = Object.entries(document).filter(([category, packages]) => category !== '_meta' && isTable(packages))
  const all = categories.flatMap(([category, packages]) => Object.entries(table(packages)).map(([project, entry]) => ({ category, project, entry: table(entry) })))
  if (all.length > MOST_PACKAGES) throw badLock(name, [{ what: `it has ${all.length} packages; no lock has more than ${MOST_PACKAGES}` }])
  const bad: BadLine[] = []
  const lines = linesOf(content)
  const packages = all.flatMap(({ category, project, entry }): Package[] => {
    const line = lines.get(project)
    const problem = problemOf(project, entry)
    if (problem !== undefined) bad.push({ line, what: problem })
    return problem === undefined ? [{ category, name: project, marker: markerOf(entry), ...lockedOf(project, entry, line) }] : []
  })
  if (bad.length > 0) throw badLock(name, bad)
  return { document, packages }
}

function documentOf(name: string, content: string): Table {
  let document: unknown
  try {
    document = JSON.parse(content)
  } catch (error) {
    throw badLock(name, [{ what: `it is not valid JSON: ${error instanceof Error ? error.message : String(error)}` }])
  }
  const spec = table(table(document)['_meta'])['pipfile-spec']
  if (spec !== 6) throw badLock(name, [{ what: `it has version ${typeof spec === 'number' ? spec : 'none'} of its format (pipfile-spec); 6 is what can be read` }])
  return table(document)
}

/** pipenv makes an environment of this Python, and none of another. */
function refusal(requires: Table, { python_version, python_full_version }: MarkerEnvironment): string | undefined {
  const [version, full] = [text(requires['python_version']), text(requires['python_full_version'])]
  if (version !== undefined && version !== python_version) return `it is for Python ${version}, not for ${python_version}`
  return full !== undefined && !full.startsWith(`${python_version}.`) ? `it is for Python ${full}, not for ${python_full_version}` : undefined
}

function problemOf(name: string, entry: Table): string | undefined {
  const version = text(entry['version'])
  if (!isValidName(name)) return `${name} is no name of a package`
  if (version !== undefined && !parseVersion(pinned(version))) return `${name} has the version ${version}, which is no pin`
  if (version === undefined && !isLocal(entry) && elsewhere(entry) === undefined) return `${name} has no version`
  if (texts(entry['hashes']).length > MOST_FILES) return `${name} names more than ${MOST_FILES} files`
  const marker = markerOf(entry)
  return marker === undefined || parseMarker(marker) ? undefined : `${name} has a marker that cannot be read`
}

function markerOf(entry: Table): string | undefined {
  return text(entry['markers'])
}

/** The project itself, or a part of its folder. */
function isLocal(entry: Table): boolean {
  return entry['path'] !== undefined
}

function elsewhere(entry: Table): string | undefined {
  if (['git', 'hg', 'svn', 'bzr'].some((key) => entry[key] !== undefined)) return 'a repository'
  return entry['file'] === undefined ? undefined : 'a URL of its own'
}

function lockedOf(project: string, entry: Table, line: number | undefined): Locked {
  const hashes = texts(entry['hashes']).map((hash) => hash.toLowerCase())
  return {
    pin: {
      project: normalizeName(project), version: pinned(text(entry['version']) ?? ''), line,
      hashes, filenames: undefined, only: undefined, elsewhere: elsewhere(entry),
    },
    local: isLocal(entry), hashes,
  }
}

function pinned(version: string): string {
  return version.replace(/^={2,3}\s*/, '')
}

/** Where the packages stand, as far as it can be told: pipenv writes each name at the begin of a line. */
function linesOf(content: string): Map<string, number> {
  const lines = new Map<string, number>()
  content.split('\n').forEach((line, index) => {
    const [, name] = /^ {8}"([^"\\]+)": \{/.exec(line) ?? []
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1)
  })
  return lines
}
