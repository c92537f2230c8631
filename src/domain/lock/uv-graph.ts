/** What `uv sync` would install, found by walking the graph of a uv.lock. */
import type { MarkerEnvironment } from '../marker-environment.ts'
import { normalizeName } from '../names.ts'
import { markerJudge } from './collect.ts'
import type { Wanted } from './pin.ts'
import { table, tables, text, texts, type Table } from './toml.ts'
import { uvTargets, type UvPackage } from './uv-targets.ts'

/** What uv installs of the groups unless told otherwise; the lock does not hold `default-groups`. */
const DEFAULT_GROUPS = ['dev']

/** Every package that is reached, the project itself among them, in the lock's order. */
export function walkUv(packages: UvPackage[], manifest: Table, environment: MarkerEnvironment, { extras, groups = DEFAULT_GROUPS }: Wanted): UvPackage[] {
  const roots = rootsOf(packages, manifest)
  const wantedExtras = extras.map(normalizeName)
  const wantedGroups = groups.map(normalizeName)
  const applies = markerJudge(environment, roots.flatMap((root) => conflictNames(root.name, wantedExtras, wantedGroups)), [])
  const targetsOf = uvTargets(packages, applies)
  const reached = new Map<UvPackage, Set<string>>()
  const open: { from: UvPackage; extra: string }[] = []

  for (const root of roots) {
    for (const extra of ['', ...wantedExtras]) reach(root, extra)
    follow(root.entry['dev-dependencies'], wantedGroups)
  }
  // A script, or a workspace whose root is no project, names its requirements here.
  for (const dependency of tables(manifest['requirements'])) depend(dependency)
  follow(manifest['dependency-groups'], wantedGroups)
  for (let next = open.pop(); next; next = open.pop()) {
    const { dependencies, 'optional-dependencies': optional } = next.from.entry
    const { extra } = next
    // uv writes the names of extras normalised.
    for (const dependency of tables(extra === '' ? dependencies : table(optional)[extra])) depend(dependency)
  }
  return packages.filter((each) => reached.has(each))

  function follow(lists: unknown, names: string[]): void {
    for (const name of names) for (const dependency of tables(table(lists)[name])) depend(dependency)
  }

  function depend(dependency: Table): void {
    if (!applies(text(dependency['marker']))) return
    const extras = [...texts(dependency['extra']), ...texts(dependency['extras'])].map(normalizeName)
    for (const target of targetsOf(dependency)) for (const extra of ['', ...extras]) reach(target, extra)
  }

  function reach(target: UvPackage, extra: string): void {
    const extras = reached.get(target) ?? new Set()
    reached.set(target, extras)
    if (extras.has(extra)) return
    extras.add(extra)
    open.push({ from: target, extra })
  }
}

/** Part of the project's own folder. */
export function isLocal({ source }: UvPackage): boolean {
  return ['virtual', 'editable', 'directory'].some((kind) => source[kind] !== undefined)
}

/** `uv sync` installs the project in the lock's folder; where there is none, every member of the workspace. */
function rootsOf(packages: UvPackage[], manifest: Table): UvPackage[] {
  const own = packages.filter((each) => isLocal(each) && Object.values(each.source).includes('.'))
  if (own.length > 0) return own
  const members = new Set(texts(manifest['members']).map(normalizeName))
  return packages.filter((each) => isLocal(each) && members.has(each.name))
}

/** The names under which markers ask for extras and groups that conflict: `extra-4-demo-cpu`. */
function conflictNames(project: string, extras: string[], groups: string[]): string[] {
  const name = (kind: string, which: string) => `${kind}-${project.length}-${project}-${which}`
  return [...extras.map((extra) => name('extra', extra)), ...groups.map((group) => name('group', group)), `project-${project.length}-${project}`]
}
