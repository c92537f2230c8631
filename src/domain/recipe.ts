/** Recipes: what a project needs in order to build, beyond what its sdist says itself. */

/** What applies to one release on one target, all layers merged. */
export interface Recipe {
  /** Alpine's names of what is installed into the builder image first. */
  apks: string[]
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

/** A recipe as somebody wrote it, or as builds taught it: which releases it is for, and what it says about them. */
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
  apks: [], runtimeApks: [], env: {}, configSettings: {}, constraints: [], requires: undefined, patches: [], exclude: [], check: '',
  limits: {}, network: false, expected: undefined, skip: undefined,
}
