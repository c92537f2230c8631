/** Which release of a project is built where a requirement of it has no wheel. */
import { sha256Of } from './digest.ts'
import { parseSdistFilename } from './filename.ts'
import type { ProjectPage } from './page.ts'
import { pythonFits, sdistsByVersion } from './promise.ts'
import { parseSpecifiers, satisfies, type SpecifierSet } from './specifier.ts'
import { isQuarantined } from './status.ts'
import type { Target } from './target.ts'
import { canonicalVersion, compareVersions, isPrerelease, parseVersion, type Version } from './version.ts'

export interface Buildable { version: string; sdist: { sha256: string; filename: string } }

/** Name and specifiers of a requirement as `requirementLine` gives it; undefined where the specifiers are malformed. Its marker is said to hold. */
export function splitRequirement(line: string): { name: string; specifiers: SpecifierSet } | undefined {
  const [, name, versions] = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?) *(?:\[[^\]]*\])? *\(?([^;)]*)/.exec(line) ?? []
  const specifiers = versions === undefined ? undefined : parseSpecifiers(versions)
  return name !== undefined && specifiers ? { name, specifiers } : undefined
}

/**
 * The newest release that satisfies all specifiers, has an sdist and supports the target's Python. Pre-releases stand behind everything
 * else (PEP 440 "Handling of pre-releases"), yanked releases count only where one is pinned (PEP 592).
 */
export function newestBuildable(page: ProjectPage, specifiers: SpecifierSet, target: Target): Buildable | undefined {
  if (isQuarantined(page)) return undefined
  const pinned = specifiers.some(({ operator, prefix }) => (operator === '==' && !prefix) || operator === '===')
  const fitting = [...sdistsByVersion(page).values()].flatMap(([file]): (Buildable & { parsed: Version })[] => {
    const written = parseSdistFilename(file.filename, page.name)!.version
    const parsed = parseVersion(written)!
    if ((file.yanked && !pinned) || !pythonFits(file['requires-python'], target) || !satisfies(specifiers, parsed, { prereleases: true })) return []
    return [{ parsed, version: canonicalVersion(written), sdist: { sha256: sha256Of(file)!, filename: file.filename } }]
  })
  const allowed = fitting.filter(({ parsed }) => !isPrerelease(parsed) || satisfies(specifiers, parsed))
  const [newest] = (allowed.length > 0 ? allowed : fitting).toSorted((a, b) => compareVersions(b.parsed, a.parsed))
  return newest && { version: newest.version, sdist: newest.sdist }
}
