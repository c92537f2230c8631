/** What becomes of a pinned release on a target. */
import { chooseFile, filesOfRelease, type Choice } from './choose.ts'
import { sha256Of } from './digest.ts'
import { withoutFallbacks } from './fallback.ts'
import { FAILURE_CLASSES, type Failure } from './failure.ts'
import { remedyOf } from './remedy.ts'
import { parseSdistFilename } from './filename.ts'
import type { Pin } from './lock/pin.ts'
import { mergePage, type WheelEntry } from './merge.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { promisable } from './promise.ts'
import { isQuarantined } from './status.ts'
import type { Target } from './target.ts'
import { versionKey } from './version.ts'

type Cannot = Extract<Verdict, { verdict: 'cannot' }>

export type Verdict<W extends WheelEntry = WheelEntry> =
  | { verdict: 'upstream-wheel'; filename: string }
  /** `note`: what keeps installers that check the lock from taking it. */
  | { verdict: 'built'; wheel: W; sdist: IndexFile | undefined; note: Reason | undefined }
  | { verdict: 'would-build'; filename: string; sdist: IndexFile; note: Reason | undefined }
  /** `failed`: the job whose failure is remembered. `sdist`: what an installer is left with. */
  | { verdict: 'cannot'; reason: Reason; sdist: IndexFile | undefined; failed: number | undefined }

/** One line each: the cause, and what helps. */
export interface Reason { why: string; remedy: string }

export interface Known<W extends WheelEntry = WheelEntry> {
  /** The project's page upstream; undefined where there is none. */
  page: ProjectPage | undefined
  /** Every wheel that we built of the project. */
  wheels: W[]
  /** Jobs for this target whose failure is remembered, by the sha256 of their sdist. */
  failures: Map<string, { job: number; failure: Failure | undefined }>
  /** Whether a builder is ready for the target. */
  ready: boolean
  /** Why the release is not built for the target at all, as its recipe says; undefined: it may be. */
  skip: string | undefined
  /** A pure wheel that stands in for a native one is no reason not to build that, where it can be had. */
  native?: boolean | undefined
}

/** The verdict about one release on one target, from what is known of the project. */
export function decide<W extends WheelEntry>(pin: Pin, target: Target, known: Known<W>): Verdict<W> {
  const native = known.native && known.page ? judge(pin, target, known, withoutFallbacks) : undefined
  return native && native.verdict !== 'cannot' ? native : judge(pin, target, known, (files) => files)
}

function judge<W extends WheelEntry>(pin: Pin, target: Target, { page, wheels, failures, ready, skip }: Known<W>, counting: (files: IndexFile[]) => IndexFile[]): Verdict<W> {
  const { project } = pin
  if (pin.elsewhere !== undefined) return cannot(`it comes from ${pin.elsewhere}, not from an index`, 'build it where it is installed, or pin a release of it')
  if (!page && wheels.length === 0) return cannot('the upstream knows no such project', 'check the spelling, and that the upstream has the project')
  if (page && isQuarantined(page)) return cannot('its project is quarantined by the upstream', 'nothing of it is served; use another project')

  const release = page && { ...page, files: counting(filesOfRelease(page.files, project, pin.version)) }
  const merged = mergePage({ page: release, project, pageUrl: '', wheels, promises: [], root: '', olderBuilds: 'listed' })
  const files = filesOfRelease(merged.files, project, pin.version)
  const ours = new Map(wheels.map((wheel) => [wheel.filename, wheel]))
  // Where installers take wheels alone, ours will be one.
  const limits = { ...pin, only: pin.only === 'wheels' ? undefined : pin.only }
  const plain = chooseFile(release?.files ?? [], project, limits, target)
  const sdist = plain.kind === 'sdist' ? plain.file : undefined
  const served = chooseFile(files, project, limits, target)
  const free = chooseFile(files, project, { hashes: [], filenames: undefined, only: undefined }, target)

  const had = served.kind === 'wheel' ? served : pin.only === 'sdists' ? undefined : free
  const wheel = had?.kind === 'wheel' ? ours.get(had.file.filename) : undefined
  if (wheel) return { verdict: 'built', wheel, sdist, note: served.kind === 'wheel' ? undefined : NOT_LOCKED }
  if (served.kind === 'wheel') return { verdict: 'upstream-wheel', filename: served.file.filename }
  if (pin.only === 'sdists') return cannot('the file has it compiled where it is installed (--no-binary)', 'leave --no-binary out for it', sdist)
  if (free.kind === 'wheel') return cannot(`the lock does not name ${free.file.filename}, which fits`, 'lock again, so that this wheel is among its files', sdist)
  if (!sdist) return cannotChoose(plain)

  if (skip !== undefined) return cannot(`its recipe says that it is not built: ${skip}`, 'pin a release that has a wheel, or set a recipe of this site with an empty skip', sdist)
  const failed = files.flatMap((file) => failures.get(sha256Of(file) ?? '') ?? [])[0]
  if (failed) return { ...cannot(...causeOf(failed.failure), sdist), failed: failed.job }
  const entries = promisable({ page: release!, target, wheels, remembered: new Set() })
  const version = parseSdistFilename(sdist.filename, project)!.version
  const promised = entries.find((entry) => versionKey(entry.version) === versionKey(version))
  if (!promised) return cannot('its sdist has no sha256, or another file of the release stands against it', 'pin another release', sdist)
  if (!ready) return cannot(`no builder is ready for ${target.name}`, 'start one for it, or leave this target out', sdist)
  return { verdict: 'would-build', filename: promised.filename, sdist: promised.sdist, note: isFree(pin) ? undefined : NOT_LOCKED_YET }
}

const NOT_LOCKED: Reason = { why: 'the lock does not name this wheel: installers that check it compile the sdist', remedy: 'muslin lock-hashes adds it to the lock' }
const NOT_LOCKED_YET: Reason = { ...NOT_LOCKED, remedy: 'muslin lock-hashes adds it to the lock once it is built' }

function isFree({ hashes, filenames }: Pin): boolean {
  return hashes.length === 0 && filenames === undefined
}

function cannotChoose(choice: Choice): Cannot {
  if (choice.kind !== 'none') throw new Error('a file was chosen')
  switch (choice.why) {
    case 'no-release': return cannot('the upstream has no such release', 'check the version; the project\'s page lists its files')
    case 'python': return cannot(FAILURE_CLASSES['unsupported-python'].cause(choice.requiresPython ?? ''), FAILURE_CLASSES['unsupported-python'].remedy)
    case 'lock': return cannot('the lock allows none of its files that fit', 'lock again with a locker that names the files of all platforms, its sdist too')
    case 'other': return cannot('it has no wheel that fits and no sdist', 'nothing can be compiled; ask the project for an sdist or a musllinux wheel, or pin another release')
  }
}

function causeOf(failure: Failure | undefined): [why: string, remedy: string] {
  if (!failure) return ['a build of it failed before and is being tried again', 'wait for it: it is promised once it is built']
  return [FAILURE_CLASSES[failure.class].cause(failure.key), remedyOf(failure)]
}

function cannot(why: string, remedy: string, sdist?: IndexFile): Cannot {
  return { verdict: 'cannot', reason: { why, remedy }, sdist, failed: undefined }
}
