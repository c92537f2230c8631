/** Which releases may be promised as wheels for a target. */
import { sha256Of } from './digest.ts'
import { parseSdistFilename, parseWheelFilename, sdistSuffix, SDIST_SUFFIXES } from './filename.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { parseSpecifiers, satisfies } from './specifier.ts'
import { isQuarantined } from './status.ts'
import { builtFilename, wheelFits } from './tags.ts'
import type { Target } from './target.ts'
import { canonicalVersion, parseVersion, versionKey } from './version.ts'

export interface Promisable {
  sdist: IndexFile
  /** Canonical. */
  version: string
  /** The wheel's, as the build will name it. */
  filename: string
  /** The build number in it. */
  number: number
}

/**
 * One entry for every release that has an sdist we may serve, that fits the target's Python, that no listed wheel covers (the
 * upstream's, yanked or not, or ours), and that is not remembered as failed (`remembered`: sha256 of sdists). A yanked sdist may
 * be promised: its wheel is yanked like it.
 */
export function promisable(input: {
  page: ProjectPage
  target: Target
  wheels: { sdist: string; target: string; number: number; filename: string }[]
  remembered: Set<string>
}): Promisable[] {
  const { page, target, wheels, remembered } = input
  if (isQuarantined(page)) return []
  const covered = coveredVersions([...page.files, ...wheels], target)
  return [...sdistsByVersion(page)].flatMap(([key, [sdist, ...others]]) => {
    const failed = [sdist, ...others].some((file) => remembered.has(sha256Of(file)!))
    const built = wheels.filter((wheel) => wheel.sdist === sha256Of(sdist) && wheel.target === target.name)
    if (covered.has(key) || failed || built.length > 0 || !pythonFits(sdist['requires-python'], target)) return []
    const version = canonicalVersion(parseSdistFilename(sdist.filename, page.name)!.version)
    return [{ sdist, version, number: 1, filename: builtFilename(page.name, version, 1, target) }]
  })
}

function coveredVersions(files: { filename: string }[], target: Target): Set<string> {
  const wheels = files.map(({ filename }) => parseWheelFilename(filename))
  return new Set(wheels.flatMap((wheel) => wheel && wheelFits(wheel, target) ? [versionKey(wheel.version)] : []))
}

/** Sdists that can be asked for by their digest, by `versionKey`; of each version the best kind comes first. */
export function sdistsByVersion(page: ProjectPage): Map<string, [IndexFile, ...IndexFile[]]> {
  const found = new Map<string, [IndexFile, ...IndexFile[]]>()
  for (const file of page.files.toSorted((a, b) => rank(a) - rank(b))) {
    const version = parseSdistFilename(file.filename, page.name)?.version
    if (version === undefined || sha256Of(file) === undefined) continue
    const key = versionKey(version)
    const earlier = found.get(key)
    if (earlier) earlier.push(file)
    else found.set(key, [file])
  }
  return found
}

function rank({ filename }: IndexFile): number {
  const suffix = sdistSuffix(filename)
  return suffix === undefined ? SDIST_SUFFIXES.length : SDIST_SUFFIXES.indexOf(suffix)
}

/**
 * Only the minor of the client's Python is known for sure, while pip compares the full version: the newest patch there could be
 * stands for all, so that `>=3.13.2` fits. A client below that passes the promise over by itself. What cannot be read
 * fits, as in pip.
 */
export function pythonFits(requiresPython: string | null | undefined, target: Target): boolean {
  const set = typeof requiresPython === 'string' ? parseSpecifiers(requiresPython) : undefined
  const newest = parseVersion(`${target.major}.${target.minor}.99`)!
  return set === undefined || satisfies(set, newest, { prereleases: true })
}
