/** Core metadata (METADATA of wheels, PKG-INFO of sdists), as far as an index needs it. */
import { normalizeName } from './names.ts'
import { canonicalRequirement } from './requirement.ts'
import { canonicalSpecifiers, parseSpecifiers } from './specifier.ts'
import { versionKey } from './version.ts'

export interface Metadata {
  /** As written, like all that follows; the empty string where the field is missing. */
  name: string
  version: string
  metadataVersion: string
  requiresPython: string | undefined
  requiresDist: string[]
  providesExtra: string[]
  dynamic: string[]
  /** Every field in its order: lower-case name → values. */
  headers: Map<string, string[]>
  /** What follows the fields: the description. */
  body: string
}

/** Reads the fields leniently, as Python's e-mail parser does: whatever looks like no field begins the body. */
export function parseMetadata(text: string): Metadata {
  const lines = text.split(/\r\n|\r|\n/)
  const headers = new Map<string, string[]>()
  let values: string[] | undefined
  let at = 0
  for (; at < lines.length; at++) {
    const line = lines[at]!
    const field = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line)
    if (field) {
      const name = field[1]!.toLowerCase()
      values = headers.get(name) ?? []
      headers.set(name, values)
      values.push(field[2]!.trimEnd())
    } else if (values && /^[ \t]+\S/.test(line)) {
      values.push(`${values.pop()}\n${line.trimEnd()}`)
    } else {
      break
    }
  }
  const all = (name: string) => (headers.get(name) ?? []).map(unfolded)
  const one = (name: string) => all(name)[0] ?? ''
  return {
    name: one('name'),
    version: one('version'),
    metadataVersion: one('metadata-version'),
    requiresPython: one('requires-python') || undefined,
    requiresDist: all('requires-dist'),
    providesExtra: all('provides-extra'),
    dynamic: all('dynamic'),
    headers,
    body: lines.slice(lines[at] === '' ? at + 1 : at).join('\n'),
  }
}

function unfolded(value: string): string {
  return value.split('\n').map((line) => line.trim()).join(' ').trim()
}

/**
 * Whether an installer that was given the one may be given a wheel with the other: pip 26.2 and later stop unless Name, Version,
 * Requires-Dist, Requires-Python and Provides-Extra agree. Spellings that pip normalises are no difference, nor is order.
 */
export function sameForInstallers(a: Metadata, b: Metadata): boolean {
  return fingerprint(a) === fingerprint(b)
}

/**
 * Whether every wheel made from this sdist must have these dependencies: the sdist says so from metadata 2.2 on, for the fields that
 * it does not call dynamic (PEP 643). Before 2.2 a PKG-INFO promises nothing.
 */
export function isStatic(pkgInfo: Metadata): boolean {
  const [, major, minor] = /^([0-9]+)\.([0-9]+)$/.exec(pkgInfo.metadataVersion) ?? []
  if (major === undefined || Number(major) < 2 || (major === '2' && Number(minor) < 2)) return false
  const dynamic = pkgInfo.dynamic.map((field) => field.toLowerCase())
  return pkgInfo.name !== '' && pkgInfo.version !== ''
    && !['requires-dist', 'requires-python', 'provides-extra', 'version'].some((field) => dynamic.includes(field))
}

function fingerprint(metadata: Metadata): string {
  const python = parseSpecifiers(metadata.requiresPython ?? '')
  const set = (values: string[]) => [...new Set(values)].sort()
  return JSON.stringify([
    normalizeName(metadata.name),
    versionKey(metadata.version),
    set(metadata.requiresDist.map((text) => canonicalRequirement(text) ?? text)),
    // pip ignores a Requires-Python that it cannot read.
    python ? canonicalSpecifiers(python) : '',
    set(metadata.providesExtra.map(normalizeName)),
  ])
}
