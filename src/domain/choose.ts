/** Which file of a release an installer takes on a target. */
import { sha256Of } from './digest.ts'
import { parseSdistFilename, parseWheelFilename } from './filename.ts'
import type { Pin } from './lock/pin.ts'
import type { IndexFile } from './page.ts'
import { pythonFits } from './promise.ts'
import { parseSpecifiers, satisfies } from './specifier.ts'
import { wheelRank } from './tag-order.ts'
import type { Target } from './target.ts'
import { compareVersions, parseVersion, type Version } from './version.ts'

export type Choice =
  | { kind: 'wheel' | 'sdist'; file: IndexFile }
  /** What was the last that kept every file out; `other`: the release has files, for other systems or without an sdist. */
  | { kind: 'none'; why: 'no-release' | 'python' | 'lock' | 'other'; requiresPython?: string }

export type Limits = Pick<Pin, 'hashes' | 'filenames' | 'only'>

/**
 * The choice of pip's `CandidateEvaluator`, which is uv's too: of the files that the target's Python supports and the lock allows, first
 * those that are not yanked (PEP 592: a pinned release may be), then the newest version that `==` means, then the best wheel by
 * its tags and by its build number, and only then the sdist. `files` are those of the release on the page (`filesOfRelease`).
 */
export function chooseFile(files: IndexFile[], project: string, pin: Limits, target: Target): Choice {
  const released = files.flatMap((file) => candidateOf(file, project, target))
  if (released.length === 0) return { kind: 'none', why: 'no-release' }
  const installable = released.filter(({ rank }) => rank !== undefined)
  if (installable.length === 0) return { kind: 'none', why: 'other' }
  const supported = installable.filter(({ file }) => pythonFits(file['requires-python'], target))
  if (supported.length === 0) return { kind: 'none', why: 'python', requiresPython: String(installable[0]!.file['requires-python']) }
  const isLocked = lockedBy(pin)
  const allowed = supported.filter(({ file, kind }) => (pin.only === undefined || pin.only === `${kind}s`) && isLocked(file))
  const [best] = allowed.toSorted(byPreference)
  return best ? { kind: best.kind, file: best.file } : { kind: 'none', why: 'lock' }
}

/** Whether the lock lets an installer take a file: by its hash, and by its name where the lock names files. */
function lockedBy({ hashes, filenames }: Pick<Pin, 'hashes' | 'filenames'>): (file: IndexFile) => boolean {
  const named = filenames && new Set(filenames.map(spelling))
  const digests = new Set(hashes)
  return (file) => (named === undefined || named.has(spelling(file.filename)))
    && (digests.size === 0 || Object.entries(file.hashes ?? {}).some(([name, value]) => digests.has(`${name}:${value}`.toLowerCase())))
}

/** uv's exports spell the project in a file's name in their own way. */
function spelling(filename: string): string {
  return filename.toLowerCase().replace(/[-_.]+/g, '-')
}

/** The files of a page that belong to the pinned release: `==1.0` means `1.0.0` and `1.0+local` too (PEP 440 "Version matching"). */
export function filesOfRelease(files: IndexFile[], project: string, pinned: string): IndexFile[] {
  const set = parseSpecifiers(`==${pinned}`)
  // A page of thousands of files has few versions.
  const judged = new Map<string, boolean>()
  return files.filter(({ filename }) => {
    const wheel = parseWheelFilename(filename)
    const version = wheel ? (wheel.project === project ? wheel.version : undefined) : parseSdistFilename(filename, project)?.version
    if (version === undefined) return false
    const known = judged.get(version) ?? (set !== undefined && satisfies(set, parseVersion(version)!, { prereleases: true }))
    judged.set(version, known)
    return known
  })
}

interface Candidate {
  file: IndexFile
  kind: 'wheel' | 'sdist'
  version: Version
  /** Undefined for a wheel that does not fit; sdists come after all wheels. */
  rank: number | undefined
  build: { number: bigint; rest: string } | undefined
}

function candidateOf(file: IndexFile, project: string, target: Target): Candidate[] {
  const wheel = parseWheelFilename(file.filename)
  if (wheel) return [{ file, kind: 'wheel', version: parseVersion(wheel.version)!, rank: wheelRank(wheel, target), build: buildNumber(wheel.build) }]
  const version = parseVersion(parseSdistFilename(file.filename, project)?.version ?? '')
  return version ? [{ file, kind: 'sdist', version, rank: Number.MAX_SAFE_INTEGER, build: undefined }] : []
}

/** Of equals the later one on the page, as pip's `max` over a list that it turned around; a file with a digest comes first. */
function byPreference(a: Candidate, b: Candidate): number {
  return Number(Boolean(a.file.yanked)) - Number(Boolean(b.file.yanked))
    || compareVersions(b.version, a.version)
    || a.rank! - b.rank!
    || compareBuilds(b.build, a.build)
    || Number(sha256Of(b.file) !== undefined) - Number(sha256Of(a.file) !== undefined)
}

/** PEP 427 "File name convention": leading digits as a number, then the rest as text; none at all comes first. */
function buildNumber(build: string | undefined): Candidate['build'] {
  const [, number, rest] = /^([0-9]+)(.*)$/s.exec(build ?? '') ?? []
  return number === undefined || rest === undefined ? undefined : { number: BigInt(number.slice(0, 50)), rest }
}

function compareBuilds(a: Candidate['build'], b: Candidate['build']): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined)
  return a.number === b.number ? (a.rest < b.rest ? -1 : Number(a.rest > b.rest)) : a.number < b.number ? -1 : 1
}
