/** Patterns of projects and releases, as rules are made of them: `numpy`, `acme-*`, `django<5`, `torch==2.*`. */
import { normalizeName } from './names.ts'
import { parseSpecifiers, satisfies, type SpecifierSet } from './specifier.ts'
import type { Version } from './version.ts'

/** Plain data, so that it can be sent to another thread. */
export interface Pattern {
  /** As it was written. */
  text: string
  /** Normalised; `*` stands for any text, the empty one too. */
  name: string
  /** None: every version, and files whose version nobody can tell. */
  specifiers: SpecifierSet
}

/** Longer than any that makes sense. */
const LONGEST = 500

/** A project's name with `*`, and behind it version specifiers (PEP 440), without extras or markers; undefined where the text is none. */
export function parsePattern(text: string): Pattern | undefined {
  const [, name, versions] = text.length > LONGEST ? [] : /^\s*([a-z0-9*](?:[a-z0-9._*-]*[a-z0-9*])?)\s*((?:[=!~<>].*)?)$/is.exec(text) ?? []
  const specifiers = versions === undefined ? undefined : parseSpecifiers(versions)
  return name === undefined || !specifiers ? undefined : { text: text.trim(), name: normalizeName(name), specifiers }
}

/** Whether it names the project, of one version at least. `project`: normalised. */
export function namesProject({ name }: Pattern, project: string): boolean {
  const [first = '', ...rest] = name.split('*')
  const last = rest.pop()
  if (last === undefined) return project === first
  if (project.length < first.length + last.length || !project.startsWith(first) || !project.endsWith(last)) return false
  // Each part at its first place leaves the most room for those behind it.
  let at = first.length
  for (const part of rest) {
    const found = project.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= project.length - last.length
}

/** Whether its specifiers hold for the version, a pre-release judged like any other; undefined where nobody can tell the version. */
export function namesVersion({ specifiers }: Pattern, version: Version | undefined): boolean | undefined {
  if (specifiers.length === 0) return true
  return version && satisfies(specifiers, version, { prereleases: true })
}
