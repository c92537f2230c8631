/** What an sdist says about its build, read without running any of it (`building.md` section 2, step 1). */
import type { CargoLock } from './cargo-lock.ts'
import { estimateSources } from './estimate.ts'
import type { Failure } from './failure.ts'
import { languagesOf, type Language } from './languages.ts'
import { isStatic, parseMetadata, type Metadata } from './metadata.ts'
import { normalizeName } from './names.ts'
import { patchedTexts } from './patched.ts'
import { buildSystem, readToml } from './plan-backend.ts'
import { withoutComments, type SdistContents } from './plan-contents.ts'
import { expectedKind, type ExpectedKind } from './plan-kind.ts'
import { rustCrates } from './plan-rust.ts'
import { toolchain } from './plan-toolchain.ts'
import { versionVariables } from './plan-version.ts'
import { pythonFits } from './promise.ts'
import type { Recipe } from './recipe.ts'
import type { Target } from './target.ts'
import { versionKey } from './version.ts'

export type { SdistContents } from './plan-contents.ts'
export type { ExpectedKind } from './plan-kind.ts'

export interface BuildPlan {
  /** `module:object` (PEP 517). */
  backend: string
  backendPath: string[]
  requires: string[]
  expected: ExpectedKind
  /** What its compilers must know, as far as can be seen; a wrong guess costs time, or a build that fails later. */
  languages: Language[]
  /** Alpine's names of what the build needs beyond compilers of C and C++, sorted. */
  toolchain: string[]
  /** For commands that run the sdist's code, beneath what a recipe says. */
  env: Record<string, string>
  /** How long compiling may take on two cores, beyond what every build takes. */
  estimateSeconds: number
  /** The crates that cargo must find without a network; undefined where no Rust is compiled, and where cargo asks for them itself. */
  cargoLock: CargoLock | undefined
  /** PKG-INFO, where it is certain to say what the wheel's METADATA will say. */
  metadata: string | undefined
  /** As PKG-INFO says it. */
  requiresPython: string | undefined
}

/** As the index names it. */
export interface ReleaseName { project: string; version: string }

/**
 * The plan for these contents, or why they cannot be built. `release` is what they are said to be, where that is known. `network` and
 * `patches` are their recipe's: cargo asks by itself for crates that nobody can fetch for it, and texts are read as they are built.
 */
export function planBuild(
  unpatched: SdistContents, release?: ReleaseName, { network = false, patches = [] }: Partial<Pick<Recipe, 'network' | 'patches'>> = {},
): { plan: BuildPlan } | { failure: Failure } {
  const contents = { ...unpatched, texts: patchedTexts(unpatched.texts, patches) }
  const { texts } = contents
  // pip reads brackets at the end of a path as extras, and the name becomes part of a path on its command line.
  if (!/^[\w.+!~-]+$/.test(contents.folder)) return bad('its top-level folder has a name that is no file name of a release')
  if (!texts.has('pyproject.toml') && !texts.has('setup.py')) return bad('it holds neither pyproject.toml nor setup.py')
  const pyproject = readToml(texts.get('pyproject.toml'))
  if (pyproject === undefined) return bad('its pyproject.toml is not valid TOML')
  const system = buildSystem(pyproject)
  if (typeof system === 'string') return bad(system)
  const languages = languagesOf(contents, system)
  const rust = languages.includes('rust') ? rustCrates(contents, pyproject) : { crates: undefined }
  if ('failure' in rust && !network) return rust
  const crates = 'failure' in rust ? undefined : rust.crates
  const pkgInfo = texts.get('PKG-INFO')
  const metadata = pkgInfo === undefined ? undefined : parseMetadata(pkgInfo)
  return {
    plan: {
      ...system,
      expected: expectedKind(contents, system, pyproject),
      languages,
      toolchain: toolchain(contents, system, languages),
      env: { ...versionVariables(contents, system, pyproject, versionOf(contents, metadata, release)), ...cmakeVariables(contents) },
      estimateSeconds: estimateSources(contents.sources, { languages, requires: system.requires, crates: crates?.length ?? 0 }),
      cargoLock: crates,
      metadata: metadata && patches.length === 0 && isStatic(metadata) && isOf(metadata, release) ? pkgInfo : undefined,
      requiresPython: metadata?.requiresPython,
    },
  }
}

/** Why this can never be a wheel for the target; undefined: nothing is known against it. */
export function refusedFor(plan: BuildPlan, target: Target): Failure | undefined {
  if (!pythonFits(plan.requiresPython, target)) return { class: 'unsupported-python', key: `${plan.requiresPython}` }
  // Go's runtime wants its thread-local storage at the start of the program, which musl gives to no library that is loaded later.
  if (plan.languages.includes('go')) return { class: 'not-musl', key: 'musl loads no extension that is written in Go, whatever is installed' }
  return undefined
}

/** The sdist's own word first; setuptools' copy elsewhere in it; then the index's. */
function versionOf(contents: SdistContents, metadata: Metadata | undefined, release: ReleaseName | undefined): string | undefined {
  const copy = [...contents.texts].find(([path]) => path.endsWith('.egg-info/PKG-INFO'))
  return metadata?.version || (copy && parseMetadata(copy[1]).version) || release?.version
}

function isOf({ name, version }: Metadata, release: ReleaseName | undefined): boolean {
  return release === undefined || (normalizeName(name) === normalizeName(release.project) && versionKey(version) === versionKey(release.version))
}

/** CMake 4 refuses projects that are content with a CMake before 3.5, unless it is told to go on. */
function cmakeVariables(contents: SdistContents): Record<string, string> {
  const lists = [...contents.texts].filter(([path]) => /(?:^|\/)CMakeLists\.txt$/.test(path)).map(([, text]) => withoutComments(text)).join('\n')
  const wanted = [...lists.matchAll(/\bcmake_minimum_required\s*\(\s*VERSION\s+(\d+)\.(\d+)/gi)]
  const old = wanted.some(([, major, minor]) => Number(major) < 3 || (Number(major) === 3 && Number(minor) < 5))
  return old ? { CMAKE_POLICY_VERSION_MINIMUM: '3.5' } : {}
}

function bad(key: string): { failure: Failure } {
  return { failure: { class: 'bad-sdist', key } }
}
