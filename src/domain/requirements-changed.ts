/** Whether a build that failed would have other build requirements today. */
import { splitRequirement } from './buildable.ts'
import { parseWheelFilename } from './filename.ts'
import { normalizeName } from './names.ts'
import { requirementLine } from './requirement-line.ts'
import { satisfies } from './specifier.ts'
import { wheelFits } from './tags.ts'
import type { Target } from './target.ts'
import { compareVersions, isPrerelease, parseVersion } from './version.ts'

/** A file of a project's page. `uploadedAt`: milliseconds since 1970. */
export interface Offered { filename: string; sha256: string | undefined; uploadedAt: number | undefined; yanked: boolean }

export interface Resolved {
  /** The wheels that it was built with. */
  used: { filename: string; sha256: string }[]
  /** sha256 of those that its run before the last had been built with. */
  before: string[]
  /** Its own requirement lines; those of its requirements are not known. */
  lines: string[]
  endedAt: number
  target: Target
}

/**
 * True where one of the wheels is not offered any more, or was withdrawn, or a newer one that fits came since. Nobody tells when a file was
 * withdrawn: where a requirement pins it (PEP 592), or the run before the last had it too, it will be had the next time too. What all that means for requirements of
 * requirements only an installer could tell: a newer release may be one that they do not allow, and then the build fails once more.
 * `offered`: the files of a project; undefined where nobody knows them.
 */
export function requirementsChanged({ used, before, lines, endedAt, target }: Resolved, offered: (project: string) => Offered[] | undefined): boolean {
  const wanted = lines.flatMap((text) => {
    const split = splitRequirement(requirementLine(text) ?? '')
    return split ? [{ project: normalizeName(split.name), specifiers: split.specifiers }] : []
  })
  return used.some(({ filename, sha256 }) => {
    const wheel = parseWheelFilename(filename)
    const files = wheel && offered(wheel.project)
    if (!files) return false
    const specifiers = wanted.filter(({ project }) => project === wheel.project).flatMap((one) => one.specifiers)
    const isPinned = specifiers.some(({ operator, prefix }) => operator === '===' || (operator === '==' && !prefix))
    // Pages may have no sha256.
    const same = files.find((file) => file.sha256 === sha256 || (file.sha256 === undefined && file.filename === filename))
    if ((!same || same.yanked) && !isPinned && !before.includes(sha256)) return true
    const version = parseVersion(wheel.version)!
    return files.some((file) => {
      if (file.yanked || file.uploadedAt === undefined || file.uploadedAt <= endedAt) return false
      const other = parseWheelFilename(file.filename)
      const newer = other && parseVersion(other.version)
      if (!newer || (isPrerelease(newer) && !isPrerelease(version)) || compareVersions(newer, version) <= 0) return false
      return wheelFits(other, target) && satisfies(specifiers, newer, { prereleases: true })
    })
  })
}
