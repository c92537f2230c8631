/** Recipes: what a project needs in order to build, beyond what its sdist says itself. */
import { parseSpecifiers, satisfies } from './specifier.ts'
import { parseVersion } from './version.ts'

/** What applies to one release on one target, all layers merged. */
export interface Recipe {
  /** Alpine's names of what is installed into the builder image first. */
  apks: string[]
  /** What no build adds by itself: the names that the layers take out of `apks`. Nobody writes it. */
  refusedApks: string[]
  /** What a client's image must hold besides: libraries that the wheel loads by itself and that are not bundled. */
  runtimeApks: string[]
  /** For commands that run the sdist's code. */
  env: Record<string, string>
  /** For the build backend (PEP 517 `config_settings`). */
  configSettings: Record<string, string | string[]>
  /** Requirement specifiers that build requirements are held to, such as `cython<3`. */
  constraints: string[]
  /** Build requirements instead of those that the sdist names; undefined: the sdist's own. */
  requires: string[] | undefined
  /** Unified diffs that are applied to the unpacked sdist with -p1, in their order. */
  patches: { name: string; text: string }[]
  /** File names of libraries that repair leaves out of the wheel, such as `libfoo.so.*`. */
  exclude: string[]
  /** Python code that must run on the clean image, beyond the imports; empty: none. */
  check: string
  /** Instead of the settings', where given: cores, bytes, bytes, seconds. */
  limits: Partial<Record<'cpu' | 'memory' | 'disk' | 'time', number>>
  /** The sdist's code may use the network: an admin's choice alone, shown on record and page. */
  network: boolean
  /** What comes out: overrides what the reading of the sdist expects. */
  expected: 'native' | 'pure' | undefined
  /** Why it is not built at all; undefined: it is. */
  skip: string | undefined
}

export type RecipeOrigin = 'built-in' | 'learnt' | 'site'

/**
 * A recipe as somebody wrote it, or as builds taught it: which releases it is for, and what it says about them. An entry of a list that
 * begins with `!` takes the rest of it out of earlier layers; an empty `skip` lifts an earlier one.
 */
export interface RecipeLayer {
  /** Normalized. */
  project: string
  /** A version specifier (PEP 440), such as `>=2,<3`; undefined: all. */
  versions: string | undefined
  /** Target names, `*` stands for any characters; undefined: all. */
  targets: string[] | undefined
  origin: RecipeOrigin
  recipe: Partial<Recipe>
  /** For people: where it comes from, why it is so. */
  note: string | undefined
}

export const NO_RECIPE: Recipe = {
  apks: [], refusedApks: [], runtimeApks: [], env: {}, configSettings: {}, constraints: [], requires: undefined, patches: [], exclude: [], check: '',
  limits: {}, network: false, expected: undefined, skip: undefined,
}

const ORIGINS: RecipeOrigin[] = ['built-in', 'learnt', 'site']

/**
 * What the layers say together about one release on one target: built-in ones first, then learnt ones, then the site's, each in the order
 * in which they are given. Lists are united in order, maps merged, everything else overridden.
 */
export function mergeRecipes(layers: RecipeLayer[], version: string, target: string): Recipe {
  return layersFor(layers, version, target).reduce((merged, { recipe }) => over(merged, recipe), NO_RECIPE)
}

/** Those of the layers that are for this release on this target, in the order in which they are merged. */
export function layersFor(layers: RecipeLayer[], version: string, target: string): RecipeLayer[] {
  return layers.filter((layer) => fitsVersion(layer.versions, version) && fitsTarget(layer.targets, target))
    .toSorted((a, b) => ORIGINS.indexOf(a.origin) - ORIGINS.indexOf(b.origin))
}

/** Prereleases are judged like any other version; what is no version fits only where none is asked for. */
function fitsVersion(versions: string | undefined, text: string): boolean {
  if (versions === undefined) return true
  const set = parseSpecifiers(versions)
  const version = parseVersion(text)
  return set !== undefined && version !== undefined && satisfies(set, version, { prereleases: true })
}

function fitsTarget(targets: string[] | undefined, target: string): boolean {
  return targets === undefined || targets.some((pattern) => matches(pattern.split('*'), target))
}

/** Pieces between the stars, each found as early as can be: no pattern takes more than one pass. */
function matches([first = '', ...rest]: string[], text: string): boolean {
  if (rest.length === 0) return text === first
  const last = rest.pop() ?? ''
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

function over(below: Recipe, above: Partial<Recipe>): Recipe {
  const { skip = below.skip } = above
  return {
    apks: united(below.apks, above.apks),
    refusedApks: [...new Set([...below.refusedApks.filter((name) => !above.apks?.includes(name)), ...refused(above.apks)])],
    runtimeApks: united(below.runtimeApks, above.runtimeApks),
    env: { ...below.env, ...above.env },
    configSettings: { ...below.configSettings, ...above.configSettings },
    constraints: united(below.constraints, above.constraints),
    requires: above.requires ?? below.requires,
    patches: [...below.patches.filter(({ name }) => !above.patches?.some((patch) => patch.name === name)), ...above.patches ?? []],
    exclude: united(below.exclude, above.exclude),
    check: above.check ?? below.check,
    limits: { ...below.limits, ...above.limits },
    network: above.network ?? below.network,
    expected: above.expected ?? below.expected,
    skip: skip === '' ? undefined : skip,
  }
}

function united(below: string[], above: string[] = []): string[] {
  const gone = new Set(refused(above))
  return [...new Set([...below.filter((entry) => !gone.has(entry)), ...above.filter((entry) => !entry.startsWith('!'))])]
}

function refused(entries: string[] = []): string[] {
  return entries.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1))
}
