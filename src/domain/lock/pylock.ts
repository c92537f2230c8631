/** pylock.toml: PEP 751. */
import { parseMarker } from '../marker-grammar.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { isValidName, normalizeName } from '../names.ts'
import { parseVersion } from '../version.ts'
import { badLock, type BadLine } from './bad-lock.ts'
import { collectPins, markerJudge, MOST_FILES, pythonRefusal } from './collect.ts'
import type { Lock, Pin, Wanted } from './pin.ts'
import { isTable, lastPart, packageTables, readToml, table, tables, text, texts, type Table } from './toml.ts'

/** Throws `bad-lock`. */
export function readPylock(name: string, content: string): Lock {
  const document = readToml(name, content)
  const lockVersion = text(document['lock-version'])
  // PEP 751 "lock-version": another major version must be refused.
  if (!lockVersion?.startsWith('1.')) throw badLock(name, [{ what: `its lock-version is ${lockVersion ?? 'missing'}; 1.0 is what can be read` }])
  const bad: BadLine[] = []
  const entries = packageTables(name, document, 'packages', content).flatMap(({ table, line }) => {
    const problem = problemOf(table)
    if (problem !== undefined) bad.push({ line, what: problem })
    if (problem !== undefined) return []
    return [{ pin: pinOf(table, line), marker: text(table['marker']), local: table['directory'] !== undefined }]
  })
  if (bad.length > 0) throw badLock(name, bad)
  return {
    name,
    kind: 'pylock',
    refusal: (environment) => refusal(document, environment),
    pins(environment: MarkerEnvironment, { extras, groups }: Wanted) {
      const applies = markerJudge(environment, extras, groups ?? texts(document['default-groups']))
      return collectPins(entries.filter(({ local, marker }) => !local && applies(marker)).map(({ pin }) => pin))
    },
  }
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

function pinOf(entry: Table, line: number | undefined): Pin {
  const files = [...tables(entry['wheels']), ...(isTable(entry['sdist']) ? [entry['sdist']] : [])]
  const hashes = files.map((file) => Object.entries(table(file['hashes'])).map(([name, value]) => `${name}:${text(value) ?? ''}`.toLowerCase()))
  return {
    project: normalizeName(text(entry['name'])!),
    version: text(entry['version']) ?? '',
    line,
    hashes: hashes.some((list) => list.length === 0) ? [] : hashes.flat(),
    filenames: files.flatMap((file) => text(file['name']) ?? lastPart(text(file['path']) ?? text(file['url'])) ?? []),
    only: undefined,
    elsewhere: elsewhere(entry),
  }
}

function elsewhere({ vcs, archive }: Table): string | undefined {
  if (vcs !== undefined) return `a ${text(table(vcs)['type']) ?? 'version control'} repository`
  return archive === undefined ? undefined : 'an archive of its own'
}
