/** What an sdist says about its build, read without running any of it (`building.md` section 2, step 1). */
import { parse as parseToml } from 'smol-toml'
import type { Failure } from './failure.ts'
import { languagesOf, type Language } from './languages.ts'
import { isStatic, parseMetadata } from './metadata.ts'

/** What was read out of an sdist. */
export interface SdistContents {
  /** Its one top-level folder. */
  folder: string
  entries: number
  /** Bytes of all files. */
  bytes: number
  pkgInfo: string | undefined
  pyproject: string | undefined
  setupPy: string | undefined
  setupCfg: string | undefined
  mesonBuild: string | undefined
  cmakeLists: string | undefined
  /** Endings of files that are compiled, such as `.c` or `.pyx`. */
  sources: string[]
}

export type ExpectedKind = 'native' | 'pure' | 'unknown'

export interface BuildPlan {
  /** `module:object` (PEP 517). */
  backend: string
  backendPath: string[]
  requires: string[]
  expected: ExpectedKind
  /** What its compilers must know, as far as can be seen; a wrong guess costs time, or a build that fails later. */
  languages: Language[]
  /** PKG-INFO, where it is certain to say what the wheel's METADATA will say. */
  metadata: string | undefined
}

/** Endings that make a compiler necessary. Headers do not: projects ship them as data. */
export const SOURCE_ENDINGS = ['.c', '.cc', '.cpp', '.cxx', '.pyx', '.f', '.f90', '.rs', '.go', '.s', '.asm']

/** PEP 517, "Source trees": without a build-backend the tree is built as setuptools always did. */
const LEGACY_BACKEND = 'setuptools.build_meta:__legacy__'
const LEGACY_REQUIRES = 'setuptools>=40.8.0'

/** Backends that exist only to compile. meson-python is not here: it builds pure projects too. */
const NATIVE_BACKENDS = /^(maturin|scikit_build_core|setuptools_rust|cmake_build_extension|sipbuild)\b/
const EXTENSION_WORDS = /\bext[_-]modules\b|\bExtension\s*\(|\bcffi_modules\b|\bcythonize\s*\(|\brust_extensions\b/

/** The plan for these contents, or why they cannot be built. */
export function planBuild(contents: SdistContents): { plan: BuildPlan } | { failure: Failure } {
  // pip reads brackets at the end of a path as extras, and the name becomes part of a path on its command line.
  if (!/^[\w.+!~-]+$/.test(contents.folder)) return bad('its top-level folder has a name that is no file name of a release')
  if (contents.pyproject === undefined && contents.setupPy === undefined) return bad('it holds neither pyproject.toml nor setup.py')
  const system = buildSystem(contents.pyproject)
  if (typeof system === 'string') return bad(system)
  return {
    plan: {
      ...system,
      expected: expectedKind(contents, system.backend),
      languages: languagesOf(contents, system),
      metadata: contents.pkgInfo !== undefined && certain(contents.pkgInfo) ? contents.pkgInfo : undefined,
    },
  }
}

/** The [build-system] table by PEP 518 and PEP 517; a text says what is wrong with it. */
function buildSystem(pyproject: string | undefined): Pick<BuildPlan, 'backend' | 'backendPath' | 'requires'> | string {
  const legacy = { backend: LEGACY_BACKEND, backendPath: [], requires: [LEGACY_REQUIRES] }
  if (pyproject === undefined) return legacy
  let table: unknown
  try {
    table = parseToml(pyproject)['build-system']
  } catch {
    return 'its pyproject.toml is not valid TOML'
  }
  if (table === undefined) return legacy
  if (typeof table !== 'object' || table === null || Array.isArray(table)) return '[build-system] in its pyproject.toml is not a table'
  const { requires, 'build-backend': backend, 'backend-path': path } = table as Record<string, unknown>
  if (!isTexts(requires)) return 'build-system.requires in its pyproject.toml is not a list of texts'
  if (backend === undefined) return { ...legacy, requires: requires.some(isSetuptools) ? requires : [...requires, LEGACY_REQUIRES] }
  if (typeof backend !== 'string' || !/^[\w.]+(:[\w.]+)?$/.test(backend)) return 'build-system.build-backend in its pyproject.toml is not an object\'s name'
  if (path !== undefined && !(isTexts(path) && path.every(staysInside))) return 'build-system.backend-path in its pyproject.toml leaves the source tree'
  return { backend, backendPath: path === undefined ? [] : path as string[], requires }
}

/**
 * Native only where the project says so and brings sources for it: many pure projects ship a stray C file, and taking
 * one for native would refuse its right, pure wheel.
 */
function expectedKind(contents: SdistContents, backend: string): ExpectedKind {
  if (contents.sources.length === 0) return NATIVE_BACKENDS.test(backend) ? 'unknown' : 'pure'
  if (NATIVE_BACKENDS.test(backend)) return 'native'
  const setuptools = [contents.setupPy, contents.setupCfg, contents.pyproject].some((text) => text !== undefined && EXTENSION_WORDS.test(text))
  return setuptools ? 'native' : 'unknown'
}

function certain(pkgInfo: string): boolean {
  const metadata = parseMetadata(pkgInfo)
  return metadata.name !== '' && isStatic(metadata)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function isSetuptools(requirement: string): boolean {
  return /^\s*setuptools\b(?![-.\w])/i.test(requirement)
}

/** PEP 517, "In-tree build backends": the folders must lie in the source tree. */
function staysInside(folder: string): boolean {
  return !folder.startsWith('/') && !folder.split('/').includes('..')
}

function bad(key: string): { failure: Failure } {
  return { failure: { class: 'bad-sdist', key } }
}
