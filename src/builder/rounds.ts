/** The rounds of a build: each failed one is looked at for what it was missing, and begun again with that. */
import { cleanLine } from '../domain/clean.ts'
import type { Failure } from '../domain/failure.ts'
import { suggestApks } from '../domain/missing.ts'
import { keptChanges, MOST_ROUNDS, nextRound, standingFailure, tellChange, type Change, type Round } from '../domain/rounds.ts'
import { MuslinError } from '../errors.ts'
import type { Learnt } from '../services/ports.ts'
import type { Apks, ApkVersion, ImageApks } from './apk/install.ts'
import type { Begin, Conditions } from './conditions.ts'
import { CARGO } from './crates.ts'
import { buildEnvironment, withOptions } from './environment.ts'
import { Failed } from './failed.ts'
import type { Image } from './images.ts'
import type { Session } from './session.ts'

export interface Ended<T> { value: T; conditions: Conditions; changes: Change[]; evidence: Learnt['evidence'] }

/** `now`: milliseconds since 1970. */
type Given = Begin & { apks: Apks | undefined; now: number }

/**
 * Builds until it works, or nothing more is known that may help. Throws the Failed of the round whose failure stands, with apks for
 * what it misses; where what a round requires besides has no wheel, that of this round, with the need. Each round is on the record, its end included.
 */
export async function inRounds<T>(session: Session, given: Given, build: (conditions: Conditions) => Promise<T>): Promise<Ended<T>> {
  const apks = imageApks(session, given)
  const rounds: (Round & { error: Failed })[] = []
  const evidence: Learnt['evidence'] = []
  let changes: Change[] = []
  for (;;) {
    let conditions: Conditions | undefined
    try {
      conditions = await conditionsOf(session, given, apks, changes)
      return { value: await build(conditions), conditions, changes, evidence }
    } catch (error) {
      if (!(error instanceof Failed) || session.signal.aborted) throw error
      // Nobody else asks for a wheel of it: once it was built, the job begins anew.
      if (error.needs !== undefined && changes.at(-1)?.kind === 'requires') throw error
      if (!conditions && rounds.length > 0) session.say(`round ${rounds.length + 1} cannot begin: ${cleanLine(error.failure.key)}`)
      rounds.push({ change: changes.at(-1), failure: error.missing ?? error.failure, unbegun: !conditions, error })
    }
    const failure = standingFailure(rounds)!
    const found = await namesFor(session, apks, failure)
    const change = nextRound(rounds, { ...sdistOf(session, given), apks: found.addable ? found.names : [], requires: requirementsOf(session, given, changes) })
    if (!change) throw withApks(rounds.find((round) => round.failure === failure)!.error, found)
    const told = tellChange(change, failure)
    session.say(`round ${rounds.length + 1} of at most ${MOST_ROUNDS}: ${told}`)
    recordOf(session).push({ failure, change, told })
    changes = [...keptChanges(rounds), change]
    evidence.push({ failure, remedy: told })
  }
}

/** Looked for only where there may be something to add: it may take a run of its own. */
function imageApks(session: Session, { apks, ready }: Given): () => Promise<ImageApks | undefined> {
  let asked: Promise<ImageApks | undefined> | undefined
  return () => asked ??= apks ? session.guard(apks.of(session, ready.builder)) : Promise.resolve(undefined)
}

async function conditionsOf(session: Session, given: Given, apks: () => Promise<ImageApks | undefined>, changes: Change[]): Promise<Conditions> {
  const { source: { plan }, ready } = given
  const { recipe, sourceDate } = session.work
  await session.step('fetch')
  const names = [...new Set([...recipe.apks, ...plan.toolchain, ...changes.flatMap((change) => change.kind === 'apk' ? [change.apk] : [])])]
    .filter((name) => !recipe.refusedApks.includes(name))
  const { image, added } = names.length > 0 || session.work.fresh !== undefined ? await addApks(session, given, apks, names) : { image: ready.builder, added: [] }
  const environment = [plan.env, ...plan.cargoLock ? [CARGO] : [], ready.env, recipe.env, ...changes.flatMap((change) => change.kind === 'env' ? [change.env] : [])]
    .reduce(withOptions, buildEnvironment(session.limits, sourceDate, recipe.network))
  const constraints = changes.flatMap((change) => change.kind === 'constraints' ? change.constraints : [])
  const conditions = {
    image, apks: added, environment,
    requires: requirementsOf(session, given, changes),
    constraints: [...new Set([...recipe.constraints, ...constraints])],
    until: changes.map((change) => change.kind === 'constraints' ? change.until : undefined).findLast((until) => until !== undefined),
  }
  session.record['environment'] = environment
  session.record['apks'] = added
  session.record['constraints'] = conditions.constraints
  return conditions
}

function requirementsOf({ work: { recipe } }: Session, { source: { plan } }: Given, changes: Change[]): string[] {
  return [...recipe.requires ?? plan.requires, ...changes.flatMap((change) => change.kind === 'requires' ? [change.requires] : [])]
}

async function addApks(
  session: Session, { ready, indexUrl }: Given, apks: () => Promise<ImageApks | undefined>, names: string[],
): Promise<{ image: Image; added: ApkVersion[] }> {
  const image = await apks()
  if (!image) {
    if (names.length > 0) session.say(`the builder image is taken as it is: no apks can be added (${names.join(', ')})`)
    return { image: ready.builder, added: [] }
  }
  const { unknown, ...added } = await image.add(session, names, indexUrl).catch((error: unknown) => {
    if (isUpstreams(error) && names.length > 0) session.say(`the builder image was to get ${names.join(', ')}`)
    throw error
  })
  if (unknown.length > 0) session.say(`no repository of the builder image has ${unknown.join(', ')}`)
  return added
}

async function namesFor(session: Session, apks: () => Promise<ImageApks | undefined>, failure: Failure): Promise<{ names: string[]; addable: boolean }> {
  if (!MISSING.test(failure.class)) return { names: [], addable: false }
  const allowed = (names: string[]) => names.filter((name) => !session.work.recipe.refusedApks.includes(name))
  const image = await apks()
  if (image) {
    try {
      return { names: allowed(await session.guard(image.find(failure))), addable: true }
    } catch (error) {
      // A site without a mirror stays without one: as the surroundings' fault this would be compiled every five minutes, for ever.
      if (!isUpstreams(error)) throw error
      session.say(`no apks can be added: ${error.detail}`)
    }
  }
  return { names: allowed(suggestApks(failure)), addable: false }
}

const MISSING = /^missing-/

/** What is wrong with the repositories, and not with the engine that was to be looked into. */
function isUpstreams(error: unknown): error is MuslinError {
  return error instanceof MuslinError && (error.code.startsWith('upstream-') || error.code === 'loop')
}

/** What is known to help goes along, also that nothing of Alpine's does. */
function withApks({ failure, missing, needs }: Failed, found: { names: string[] }): Failed {
  const named = MISSING.test((missing ?? failure).class)
  return new Failed(named ? { ...failure, apks: found.names } : failure, { missing, needs })
}

function sdistOf({ work }: Session, { target, now }: Given) {
  return { uploaded: work.sourceDate, pythonMinor: target.minor, now: Math.floor(now / 1000) }
}

function recordOf({ record }: Session): unknown[] {
  return (record['rounds'] ??= []) as unknown[]
}
