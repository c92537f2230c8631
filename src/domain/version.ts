/** Versions and their order: PEP 440. */

/** A parsed version. Numbers are bigints because the PEP sets no limit and dates with seconds pass 2^53. */
export interface Version {
  epoch: bigint
  release: bigint[]
  pre: { label: 'a' | 'b' | 'rc'; number: bigint } | undefined
  post: bigint | undefined
  dev: bigint | undefined
  /** Numeric parts are bigints: they order as numbers, and after all words (PEP 440 "Local version identifiers"). */
  local: (string | bigint)[] | undefined
}

/** No real version comes near; parsing bigints takes more than linear time, and the text is a stranger's. */
const LONGEST = 400

/** PEP 440 appendix B in full: every spelling that normalises, "v" and separators included. */
const VERSION = new RegExp([
  /^\s*v?(?:(?<epoch>[0-9]+)!)?(?<release>[0-9]+(?:\.[0-9]+)*)/,
  /(?:[-_.]?(?<label>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<pre>[0-9]*))?/,
  /(?:-(?<implicit>[0-9]+)|[-_.]?(?<after>post|rev|r)[-_.]?(?<post>[0-9]*))?/,
  /(?:[-_.]?(?<unfinished>dev)[-_.]?(?<dev>[0-9]*))?/,
  /(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/,
].map((part) => part.source).join(''), 'i')

/** The version that the text spells, or undefined where it is none by PEP 440. */
export function parseVersion(text: string): Version | undefined {
  const parts = text.length > LONGEST ? undefined : VERSION.exec(text)?.groups
  if (!parts) return undefined
  const { label, implicit, after, unfinished, local } = parts
  return {
    epoch: BigInt(parts['epoch'] ?? 0),
    release: parts['release']!.split('.').map(BigInt),
    pre: label === undefined ? undefined : { label: preLabel(label), number: BigInt(parts['pre'] ?? 0) },
    post: implicit !== undefined ? BigInt(implicit) : after === undefined ? undefined : BigInt(parts['post'] ?? 0),
    dev: unfinished === undefined ? undefined : BigInt(parts['dev'] ?? 0),
    local: local?.toLowerCase().split(/[-_.]/).map((part) => /^[0-9]+$/.test(part) ? BigInt(part) : part),
  }
}

/** Negative, zero or positive: the total order of PEP 440 "Summary of permitted suffixes and relative ordering". */
export function compareVersions(a: Version, b: Version): number {
  return order(a.epoch, b.epoch)
    || compareRelease(a.release, b.release)
    || compareLists(preKey(a), preKey(b))
    || order(a.post ?? -1n, b.post ?? -1n)
    // A dev release comes before what it leads to: no dev orders after every dev.
    || order(a.dev === undefined ? 1n : 0n, b.dev === undefined ? 1n : 0n)
    || order(a.dev ?? 0n, b.dev ?? 0n)
    || compareLocal(a.local, b.local)
}

/** The canonical spelling; trailing zeros of the release are kept, as file names and pages keep them. */
export function formatVersion(version: Version): string {
  return [
    version.epoch ? `${version.epoch}!` : '',
    version.release.join('.'),
    version.pre ? version.pre.label + version.pre.number : '',
    version.post === undefined ? '' : `.post${version.post}`,
    version.dev === undefined ? '' : `.dev${version.dev}`,
    version.local ? `+${version.local.join('.')}` : '',
  ].join('')
}

/** The canonical spelling of the text, or the text itself where it is no version. */
export function canonicalVersion(text: string): string {
  const version = parseVersion(text)
  return version ? formatVersion(version) : text
}

/** One text for all spellings of equal versions, for keys: "1.0.0" and "v1" give "1". A text that is no version stays itself. */
export function versionKey(text: string): string {
  const version = parseVersion(text)
  return version ? formatVersion(withoutTrailingZeros(version)) : text
}

/** The shortest release among those that compare equal. */
export function withoutTrailingZeros(version: Version): Version {
  const last = version.release.findLastIndex((part) => part !== 0n)
  return { ...version, release: version.release.slice(0, Math.max(last, 0) + 1) }
}

/** PEP 440 counts dev releases of finals among the pre-releases. */
export function isPrerelease(version: Version): boolean {
  return version.pre !== undefined || version.dev !== undefined
}

function preLabel(label: string): 'a' | 'b' | 'rc' {
  const letter = label[0]!.toLowerCase()
  return letter === 'a' ? 'a' : letter === 'b' ? 'b' : 'rc'
}

/** 1.0.dev1 comes before 1.0a1, and 1.0a1 before 1.0 and 1.0.post1.dev1. */
function preKey(version: Version): bigint[] {
  if (version.pre) return [BigInt(['a', 'b', 'rc'].indexOf(version.pre.label)), version.pre.number]
  return [version.post === undefined && version.dev !== undefined ? -1n : 3n, 0n]
}

/** Missing parts count as zero: 1.0 and 1.0.0 are the same version. */
function compareRelease(a: bigint[], b: bigint[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = order(a[i] ?? 0n, b[i] ?? 0n)
    if (difference) return difference
  }
  return 0
}

function compareLocal(a: Version['local'], b: Version['local']): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined)
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i]!, b[i]!]
    const difference = typeof left === typeof right ? order(left, right) : typeof left === 'bigint' ? 1 : -1
    if (difference) return difference
  }
  return a.length - b.length
}

function compareLists(a: bigint[], b: bigint[]): number {
  return order(a[0]!, b[0]!) || order(a[1]!, b[1]!)
}

function order<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
