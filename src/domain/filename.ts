/** File names of wheels and sdists. */
import { isValidName, normalizeName } from './names.ts'
import { parseVersion } from './version.ts'

/** File systems end at 255 bytes; no real name is longer. */
const LONGEST = 255

export interface WheelFilename {
  /** Normalised. */
  project: string
  /** As written. */
  name: string
  /** As written; a version by PEP 440. */
  version: string
  build: string | undefined
  pythons: string[]
  abis: string[]
  platforms: string[]
}

/** The parts of a wheel's file name (PEP 427 "File name convention", sets of PEP 425), or undefined where it is none that pip would take. */
export function parseWheelFilename(filename: string): WheelFilename | undefined {
  if (filename.length > LONGEST || !filename.endsWith('.whl')) return undefined
  const parts = filename.slice(0, -4).split('-')
  if (parts.length !== 5 && parts.length !== 6) return undefined
  const [name, version] = parts as [string, string]
  const build = parts.length === 6 ? parts[2] : undefined
  const [pythons, abis, platforms] = parts.slice(-3).map((tags) => tags.toLowerCase().split('.')) as [string[], string[], string[]]
  if (!isValidName(name) || name.includes('__') || !parseVersion(version)) return undefined
  // A build tag starts with a digit, else it could be taken for the Python tag.
  if (build !== undefined && !/^[0-9]/.test(build)) return undefined
  if ([...pythons, ...abis, ...platforms].includes('')) return undefined
  return { project: normalizeName(name), name, version, build, pythons, abis, platforms }
}

/**
 * What sdists may end in, the best first: what pip unpacks (PEP 527 names the two that are still uploaded). It takes `.tar.lzma` and its like
 * too, but no index has ever listed one; it has never taken `.tar.Z`.
 */
export const SDIST_SUFFIXES = ['.tar.gz', '.tgz', '.tar.bz2', '.tbz', '.tar.xz', '.txz', '.tar', '.zip'] as const

export type SdistSuffix = typeof SDIST_SUFFIXES[number]

/** The ending of an sdist's file name or path; undefined where it is none that is read. */
export function sdistSuffix(filename: string): SdistSuffix | undefined {
  return SDIST_SUFFIXES.find((suffix) => filename.endsWith(suffix))
}

/**
 * The version in an sdist's file name, as written, or undefined where it is no sdist of this project that we may serve.
 * Old sdists have dashes in name and version, so the project says where the name ends: at the first dash that fits, as in pip.
 */
export function parseSdistFilename(filename: string, project: string): { version: string } | undefined {
  const suffix = filename.length > LONGEST ? undefined : sdistSuffix(filename)
  if (suffix === undefined) return undefined
  const stem = filename.slice(0, -suffix.length)
  const wanted = normalizeName(project)
  for (let dash = stem.indexOf('-'); dash >= 0; dash = stem.indexOf('-', dash + 1)) {
    if (normalizeName(stem.slice(0, dash)) !== wanted) continue
    const version = stem.slice(dash + 1)
    return parseVersion(version) ? { version } : undefined
  }
  return undefined
}
