/** A failed build is begun again with what it was missing, as far as that can be told (`building.md` section 3). */
import type { Failure } from './failure.ts'
import { APK_NAME, suggestRequirement } from './missing.ts'
import { knownConstraints, lenientEnvironment, requirementsUntil, type Sdist } from './old-sdists.ts'

/** What a round does otherwise than those before it. */
export type Change =
  | { kind: 'apk'; apk: string }
  | { kind: 'requires'; requires: string }
  /** `until`: build requirements were uploaded before it, seconds since 1970. */
  | { kind: 'constraints'; constraints: string[]; until: number | undefined }
  /** Options for the compiler come after those that are set already. */
  | { kind: 'env'; env: Record<string, string> }

/** `change`: undefined of the first one. `unbegun`: the change could not be made, and nothing was built. */
export interface Round { change: Change | undefined; failure: Failure; unbegun?: boolean }

export interface RoundContext extends Sdist {
  /** Names that the image's repositories have for the failure that stands, best first; none where nothing can be added. */
  apks: string[]
  /** Lines of the build requirements that it began with. */
  requires: string[]
}

/** Builds of one job at most. */
export const MOST_ROUNDS = 4

/**
 * What the next round changes besides what `keptChanges` names; undefined where nothing is left that may help: all that is known to was
 * tried, or it was the last round.
 */
export function nextRound(rounds: Round[], context: RoundContext): Change | undefined {
  const failure = standingFailure(rounds)
  if (!failure || rounds.length >= MOST_ROUNDS) return undefined
  const tried = rounds.map(({ change }) => JSON.stringify(change))
  return changes(failure, context).find((change) => !tried.includes(JSON.stringify(change)))
}

/** The changes that go on: what could not be had, and what changed nothing, is given up. */
export function keptChanges(rounds: Round[]): Change[] {
  return rounds.flatMap(({ change }, at) => change !== undefined && helped(rounds, at) ? [change] : [])
}

/** The failure that is to be mended, and that a job ends with. */
export function standingFailure(rounds: Round[]): Failure | undefined {
  return rounds.findLast((_, at) => at === 0 || helped(rounds, at))?.failure
}

/** A line for the log and the record: `adds the apk libffi-dev, for header ffi.h`. */
export function tellChange(change: Change, failure: Failure): string {
  const why = failure.key === '' ? '' : `, for ${WHAT[failure.class] ?? ''}${failure.key}`
  switch (change.kind) {
    case 'apk': return `adds the apk ${change.apk}${why}`
    case 'requires': return `adds the build requirement ${change.requires}${why}`
    case 'env': return `sets ${Object.entries(change.env).map(([name, value]) => `${name}=${value}`).join(' ')}${why}`
    case 'constraints': {
      const until = change.until === undefined ? [] : [`uploaded before ${new Date(change.until * 1000).toISOString().slice(0, 10)}`]
      return `holds build requirements to ${[...change.constraints, ...until].join(', ')}${why}`
    }
  }
}

const WHAT: Partial<Record<Failure['class'], string>> = {
  'missing-header': 'header ', 'missing-pkg-config': 'the pkg-config module ', 'missing-command': 'the command ',
  'missing-library': 'the library ', 'missing-python-module': 'the Python module ',
}

/** What may help against this failure, the most certain first. */
function changes(failure: Failure, context: RoundContext): Change[] {
  const apks = context.apks.filter((name) => APK_NAME.test(name))
  const requires = requirementFor(failure, context)
  const constraints = knownConstraints(failure, context)
  const until = requirementsUntil(failure, context)
  const env = lenientEnvironment(failure)
  return [
    ...apks.map((apk) => ({ kind: 'apk' as const, apk })),
    ...(requires === undefined || apks.length > 0 || context.requires.includes(requires) ? [] : [{ kind: 'requires' as const, requires }]),
    ...(until === undefined ? [] : [{ kind: 'constraints' as const, constraints, until }]),
    ...(constraints.length === 0 ? [] : [{ kind: 'constraints' as const, constraints, until: undefined }]),
    ...(env === undefined ? [] : [{ kind: 'env' as const, env }]),
  ]
}

/** A requirement line that brings the module or the command. */
function requirementFor(failure: Failure, { requires }: RoundContext): string | undefined {
  // Python 3.12 dropped distutils, setuptools brings its own.
  if (failure.class === 'unsupported-python' && failure.key.includes('\'distutils')) return requires.some((line) => /^setuptools\b/i.test(line)) ? undefined : 'setuptools'
  if (failure.class === 'missing-command' && /^(?:cmake|ninja)$/.test(failure.key)) return failure.key
  return suggestRequirement(failure)
}

/** Whether this round, which is not the first, came further than the one whose failure it was to mend. */
function helped(rounds: Round[], at: number): boolean {
  const { change, failure, unbegun } = rounds[at]!
  const mended = standingFailure(rounds.slice(0, at))!
  // An apk that conflicts with others tells nothing of the build. Where the machine was at fault the whole job is tried again.
  if (unbegun && failure.class !== 'infrastructure') return false
  // What a change asks for may not be there; that tells nothing of the build.
  if (change?.kind !== 'apk' && failure.class === 'build-requirement-unbuildable') return false
  // Requirements of another day fail in ways of their own, which nobody is to mend.
  if (change?.kind === 'constraints' && change.until !== undefined && failure.class === 'build-failed') return false
  return !same(failure, mended)
}

function same(a: Failure, b: Failure): boolean {
  return a.class === b.class && a.key === b.key
}
