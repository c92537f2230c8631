/** Whose file it is that several projects' pages list: pages are strangers' texts, and any may name another project's file. */
import { parseSdistFilename, parseWheelFilename } from './filename.ts'
import { normalizeName } from './names.ts'

/**
 * Of all projects that list a file those whose own it is by its name, which may be several (`a-1-2.zip` is one of `a` and one of `a-1`); all
 * of them where it is nobody's, as that of an egg or of an sdist under an old name.
 */
export function ownersOf<F extends { project: string }>(filename: string, listed: F[]): F[] {
  if (listed.length < 2) return listed
  const wheel = parseWheelFilename(filename)
  const own = listed.filter(({ project }) => wheel ? wheel.project === project : parseSdistFilename(filename, project) !== undefined)
  return own.length > 0 ? own : listed
}

/**
 * The file as it is served: as the first of its owners lists it, and with the digest of its METADATA only where none of them says another.
 * Undefined where nobody lists it. `listed`: the one that listed it first comes first.
 */
export function servedAs<F extends { project: string; metadata: string | undefined }>(filename: string, listed: F[]): F | undefined {
  const owners = ownersOf(filename, listed)
  const [first] = owners
  return first && owners.some(({ metadata }) => metadata !== first.metadata) ? { ...first, metadata: undefined } : first
}

/** The project that a wheel's name says, normalised, where that is another one than whose page lists it: what holds for it holds for the wheel too. */
export function otherOwner(filename: string, project: string): string | undefined {
  if (!filename.endsWith('.whl')) return undefined
  const name = filename.slice(0, Math.max(0, filename.indexOf('-')))
  return name === project || normalizeName(name) === project ? undefined : parseWheelFilename(filename)?.project
}
