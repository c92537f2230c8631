/** pylock.toml: PEP 751. */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, limitingHashes, markerJudge, MOST_FILES, pythonRefusal } from './collect.ts'
import type { Lock, Locked, Wanted } from './pin.ts'
import { lastPart, packageTables, readToml, table, tables, text, texts, wheelsAndSdist, type Table } from './toml.ts'

/** Throws `bad-lock`. */
export function readPylock(name: string, content: string): Lock {
  const { document, packages } = pylockPackages(name, content)
  return {
    name,
    kind: 'pylock',
    refusal: (environment) => refusal(document, environment),
    pins(environment: MarkerEnvironment, { extras, groups }: Wanted) {
      const applies = markerJudge(environment, extras, groups ?? texts(document['default-groups']))
      return collectPins(packages.filter(({ entry, local }) => !local && applies(text(entry['marker']))).map(({ pin }) => pin))
    },
  }
}

/** Its packages, in the order of their tables. Throws `bad-lock`. */
export function pylockPackages(name: string, content: string): { document: Table; packages: (Locked & { entry: Table })[] } {
  const document = readToml(name, content)
  const lockVersion = text(document['lock-version'])
  // PEP 751 "lock-version": another major version must be refused.
  if (!lockVersion?.startsWith('1.')) throw badLock(name, [{ what: `its lock-version is ${lockVersion ?? 'missing'}; 1.0 is what can be read` }])
  const bad: BadLine[] = []
  const packages = packageTables(name, document, 'packages', content).flatMap(({ table: entry, line }) => {
    const problem = problemOf(entry)
    if (problem !== undefined) bad.push({ line, what: problem })
    return problem === undefined ? [{ entry, ...lockedOf(entry, line) }] : []
  })
  if (bad.length > 0) throw badLock(name, bad)
  return { document, packages }
}

/** PEP 751 "Installation": `requires-python` and `environments` come first. */
function refusal(document: Table, environment: MarkerEnvironment): string | undefined {
  const environments = texts(document['environments'])
  const applies = markerJudge(environment, [], [])
  if (environments.length > 0 && !environments.some(applies)) return 'it is for other environments'
  return pythonRefusal(text(document['requires-python']), environment)
}

function problemOf(entry: Table): string | undefined {
  const name = text(entry['name'])
  const version = text(entry['version'])
  const marker = text(entry['marker'])
  if (name === undefined || !isValidName(name)) return 'a package without a name'
  if (version !== undefined && !parseVersion(version)) return `${name} has the version ${version}, which is none`
  if (marker !== undefined && !parseMarker(marker)) return `${name} has a marker that cannot be read`
  const sources = ['vcs', 'directory', 'archive', 'sdist', 'wheels'].filter((key) => entry[key] !== undefined)
  if (sources.length === 0) return `${name} names no file`
  if (tables(entry['wheels']).length > MOST_FILES) return `${name} names more than ${MOST_FILES} files`
  if (version === undefined && ['sdist', 'wheels'].includes(sources[0]!)) return `${name} has no version`
  return undefined
}

function lockedOf(entry: Table, line: number | undefined): Locked {
  const files = wheelsAndSdist(entry)
  const hashes = files.map((file) => Object.entries(table(file['hashes'])).map(([name, value]) => `${name}:${text(value) ?? ''}`.toLowerCase()))
  return {
    pin: {
      project: normalizeName(text(entry['name'])!), version: text(entry['version']) ?? '', line,
      hashes: limitingHashes(hashes), filenames: files.flatMap((file) => pylockFilename(file) ?? []),
      only: undefined, elsewhere: elsewhere(entry),
    },
    local: entry['directory'] !== undefined, hashes: hashes.flat(),
  }
}

/** PEP 751 "packages.wheels.name": where it has none, it is that of its path or URL. */
export function pylockFilename(file: Table): string | undefined {
  return text(file['name']) ?? lastPart(text(file['path']) ?? text(file['url']))
}

function elsewhere({ vcs, archive }: Table): string | undefined {
  if (vcs !== undefined) return `a ${text(table(vcs)['type']) ?? 'version control'} repository`
  return archive === undefined ? undefined : 'an archive of its own'
}
