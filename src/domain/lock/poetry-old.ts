/** poetry.lock before format 2.1: it does not say when a package is installed, so that is read off its graph as far as it goes. */
import type { MarkerEnvironment } from '../marker-environment.ts'
import { normalizeName } from '../names.ts'
import { markerJudge, pythonRefusal } from './collect.ts'
import type { Locked, Wanted } from './pin.ts'
import { isTable, table, text, texts, type Table } from './toml.ts'

/** A `[[package]]` with its files; the name is normalised. */
export interface PoetryPackage extends Locked { name: string; entry: Table; files: Table[] }

/**
 * The packages that are needed. The project's own requirements stand in pyproject.toml alone: what no package needs, but for those of extras,
 * is taken for one of them, without a marker. Packages that need each other and are needed by nobody else are such requirements too.
 */
export function oldPackages(packages: PoetryPackage[], projectExtras: Table, environment: MarkerEnvironment, { extras, groups }: Wanted): PoetryPackage[] {
  const byName = Map.groupBy(packages, ({ name }) => name)
  const applies = markerJudge(environment, [], [])
  const wanted = new Set(extras.map(normalizeName))
  const ofExtras = Object.entries(projectExtras).filter(([extra]) => wanted.has(normalizeName(extra))).flatMap(([, names]) => texts(names).map(firstName))
  const candidates = packages.filter(({ entry }) => entry['optional'] !== true && (groups === undefined || ['main', ...groups].includes(text(entry['category']) ?? 'main')))
  const needed = new Set(packages.flatMap((each) => edges(each).filter(({ name }) => name !== each.name).map(({ name }) => name)))
  const roots = candidates.filter(({ name }) => !needed.has(name))
  const connected = reach(roots.map(({ name }) => name), () => true)
  const cycles = candidates.filter((each) => !connected.has(each))
  const starts = [...roots, ...cycles].map(({ name }) => name)
  const found = reach([...starts, ...ofExtras], (edge) => applies(edge.marker))
  return packages.filter((each) => found.has(each) && pythonRefusal(text(each.entry['python-versions']), environment) === undefined)

  function reach(names: string[], follows: (edge: Edge) => boolean): Set<PoetryPackage> {
    const found = new Set<PoetryPackage>()
    const seen = new Set<string>()
    const open = [...names]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue
      seen.add(name)
      for (const each of byName.get(name) ?? []) {
        found.add(each)
        for (const edge of edges(each)) if (follows(edge)) open.push(edge.name)
      }
    }
    return found
  }
}

interface Edge { name: string; marker: string | undefined }

/** What a package needs: a text is a version, a table has markers too, a list has one for each of several. */
function edges({ entry }: PoetryPackage): Edge[] {
  return Object.entries(table(entry['dependencies'])).flatMap(([name, value]) => {
    const list = Array.isArray(value) ? value : [value]
    return list.map((each) => ({ name: normalizeName(name), marker: isTable(each) ? text(each['markers']) : undefined }))
  })
}

/** `uvloop (>=0.17)` */
function firstName(requirement: string): string {
  return normalizeName(/^[A-Za-z0-9._-]*/.exec(requirement.trim())?.[0] ?? '')
}
