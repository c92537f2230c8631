/** Version specifiers: PEP 440 "Version specifiers", with the reading that pip's `packaging` gives them. */
import { compareVersions, formatVersion, isPrerelease, parseVersion, withoutTrailingZeros, type Version } from './version.ts'

type Operator = '===' | '==' | '!=' | '~=' | '<=' | '>=' | '<' | '>'

interface Specifier {
  operator: Operator
  /** As written, without spaces around it. */
  text: string
  /** Undefined for `===` on a text that is no version. */
  version: Version | undefined
  /** `==1.2.*` and `!=1.2.*`. */
  prefix: boolean
}

export type SpecifierSet = Specifier[]

/** The specifiers of a comma-separated list, all of which must hold; the empty list holds always. Undefined where one is malformed. */
export function parseSpecifiers(text: string): SpecifierSet | undefined {
  const parsed = text.split(',').map((part) => part.trim()).filter(Boolean).map(parseOne)
  return parsed.includes(undefined) ? undefined : parsed as SpecifierSet
}

/**
 * Whether the version fits the whole set. Without `prereleases` a pre-release fits only where one of the specifiers names
 * one (PEP 440 "Handling of pre-releases"); with true it is judged like any other version, as pip judges Requires-Python.
 */
export function satisfies(set: SpecifierSet, version: Version, options: { prereleases?: boolean } = {}): boolean {
  const allowed = options.prereleases ?? set.some((specifier) => specifier.operator !== '!=' && specifier.version && isPrerelease(specifier.version))
  if (isPrerelease(version) && !allowed) return false
  return set.every((specifier) => holds(specifier, version))
}

/** One spelling for equal sets: sorted, doubles dropped, trailing zeros dropped where they mean nothing. */
export function canonicalSpecifiers(set: SpecifierSet): string {
  return [...new Set(set.map(canonical))].sort().join(',')
}

function parseOne(text: string): Specifier | undefined {
  const [, operator, rest] = /^(===|==|!=|~=|<=|>=|<|>)\s*(.*)$/s.exec(text) ?? []
  if (operator === undefined || rest === undefined) return undefined
  if (operator === '===') return /[\s;)]/.test(rest) ? undefined : { operator, text: rest, version: parseVersion(rest), prefix: false }
  const prefix = rest.endsWith('.*')
  const version = /\s/.test(rest) ? undefined : parseVersion(prefix ? rest.slice(0, -2) : rest)
  if (!version) return undefined
  const equality = operator === '==' || operator === '!='
  if (prefix && !(equality && isBareRelease(version))) return undefined
  // Local versions mean something for equality alone; "compatible with 1" has no part left to vary (both: PEP 440).
  if (version.local && !equality) return undefined
  if (operator === '~=' && version.release.length < 2) return undefined
  return { operator: operator as Operator, text: rest, version, prefix }
}

function holds({ operator, text, version: spec, prefix }: Specifier, version: Version): boolean {
  if (operator === '===') return formatVersion(version) === text.toLowerCase()
  if (!spec) return false
  const open = { ...version, local: undefined }
  const equals = () => prefix ? hasPrefix(version, spec, spec.release.length) : compareVersions(spec.local ? version : open, spec) === 0
  switch (operator) {
    case '==': return equals()
    case '!=': return !equals()
    case '<=': return compareVersions(open, spec) <= 0
    case '>=': return compareVersions(open, spec) >= 0
    case '~=': return compareVersions(open, spec) >= 0 && hasPrefix(version, spec, spec.release.length - 1)
    // "<1.0" leaves out 1.0's own pre-releases, and ">1.0" its post-releases and local versions (PEP 440 "Exclusive ordered comparison").
    case '<': return compareVersions(version, spec) < 0 && !(isPrerelease(version) && !isPrerelease(spec) && sameBase(version, spec))
    case '>': return compareVersions(version, spec) > 0
      && !((version.local || (version.post !== undefined && spec.post === undefined)) && sameBase(version, spec))
  }
}

function hasPrefix(version: Version, spec: Version, length: number): boolean {
  return version.epoch === spec.epoch && spec.release.slice(0, length).every((part, i) => part === (version.release[i] ?? 0n))
}

function sameBase(a: Version, b: Version): boolean {
  return compareVersions(base(a), base(b)) === 0
}

function base(version: Version): Version {
  return { epoch: version.epoch, release: version.release, pre: undefined, post: undefined, dev: undefined, local: undefined }
}

function isBareRelease(version: Version): boolean {
  return !version.pre && version.post === undefined && version.dev === undefined && !version.local
}

function canonical({ operator, text, version, prefix }: Specifier): string {
  if (!version || prefix) return operator + text
  // "~=1.0" and "~=1.0.0" differ, everything else does not look at trailing zeros.
  if (operator === '~=') return operator + formatVersion(version)
  return operator + formatVersion(withoutTrailingZeros(version))
}
