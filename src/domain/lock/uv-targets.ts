import { normalizeName } from '../names.ts'
import { text, texts, type Table } from './toml.ts'

/** A `[[package]]`. */
export interface UvPackage {
  /** Normalised. */
  name: string
  version: string | undefined
  source: Table
  entry: Table
  line: number | undefined
}

/** Where one name has many packages in spite of all that tells them apart, the lock is broken: no walk may become endless by it. */
const MOST_TARGETS = 10

/**
 * Finds the packages that a dependency means: the lock adds version and source where the name alone is not enough, and
 * forks that are left are told apart by their own markers.
 */
export function uvTargets(packages: UvPackage[], applies: (marker: string | undefined) => boolean): (dependency: Table) => UvPackage[] {
  const index = new Map<string, UvPackage[]>()
  for (const each of packages) {
    for (const version of new Set([each.version, undefined])) {
      for (const source of [each.source, undefined]) add(key(each.name, version, source), each)
    }
  }
  const found = new Map<string, UvPackage[]>()
  return (dependency) => {
    const wanted = key(normalizeName(text(dependency['name']) ?? ''), text(dependency['version']), dependency['source'])
    const known = found.get(wanted)
    if (known) return known
    const fitting = index.get(wanted) ?? []
    const targets = fitting.length < 2 ? fitting : fitting.filter(isForUs).slice(0, MOST_TARGETS)
    found.set(wanted, targets)
    return targets
  }

  function add(name: string, each: UvPackage): void {
    const others = index.get(name)
    if (others) others.push(each)
    else index.set(name, [each])
  }

  function isForUs({ entry }: UvPackage): boolean {
    const markers = texts(entry['resolution-markers'])
    return markers.length === 0 || markers.some(applies)
  }
}

function key(name: string, version: string | undefined, source: unknown): string {
  return JSON.stringify([name, version ?? null, source ?? null])
}
