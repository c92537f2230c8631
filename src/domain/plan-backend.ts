/** The [build-system] table: which backend builds an sdist, and what it requires. */
import { parse as parseToml } from 'smol-toml'

export interface BuildSystem {
  /** `module:object` (PEP 517). */
  backend: string
  backendPath: string[]
  requires: string[]
}

/** PEP 517, "Source trees": without a build-backend the tree is built as setuptools always did. */
const LEGACY_BACKEND = 'setuptools.build_meta:__legacy__'
const LEGACY_REQUIRES = 'setuptools>=40.8.0'

/** A TOML document, empty where there is none; undefined where it cannot be read. */
export function readToml(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return text === undefined ? {} : parseToml(text)
  } catch {
    return undefined
  }
}

/** The table by PEP 518 and PEP 517, with their defaults; a text says what is wrong with it. */
export function buildSystem(pyproject: Record<string, unknown>): BuildSystem | string {
  const legacy = { backend: LEGACY_BACKEND, backendPath: [], requires: [LEGACY_REQUIRES] }
  const table = pyproject['build-system']
  if (table === undefined) return legacy
  if (typeof table !== 'object' || table === null || Array.isArray(table)) return '[build-system] in its pyproject.toml is not a table'
  const { requires, 'build-backend': backend, 'backend-path': path } = table as Record<string, unknown>
  if (!isTexts(requires)) return 'build-system.requires in its pyproject.toml is not a list of texts'
  if (backend === undefined) return { ...legacy, requires: requires.some(isSetuptools) ? requires : [...requires, LEGACY_REQUIRES] }
  if (typeof backend !== 'string' || !/^[\w.]+(:[\w.]+)?$/.test(backend)) return 'build-system.build-backend in its pyproject.toml is not an object\'s name'
  if (path !== undefined && !(isTexts(path) && path.every(staysInside))) return 'build-system.backend-path in its pyproject.toml leaves the source tree'
  return { backend, backendPath: path === undefined ? [] : path as string[], requires }
}

/** Whether one of the requirements is for this project; `name` is normalized. */
export function requiresProject(requires: string[], name: string): boolean {
  return requires.some((text) => /^\s*([\w.-]+)/.exec(text)?.[1]?.replace(/[-_.]+/g, '-').toLowerCase() === name)
}

/** The table at this path of a TOML document; empty where there is none. */
export function tableAt(document: Record<string, unknown>, ...path: string[]): Record<string, unknown> {
  let found: unknown = document
  for (const key of path) found = typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? (found as Record<string, unknown>)[key] : undefined
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found as Record<string, unknown> : {}
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
