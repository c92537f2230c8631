import { randomBytes, timingSafeEqual } from 'node:crypto'
import { parseSdistFilename, parseWheelFilename } from '../domain/filename.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { canonicalVersion } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import { NO_POLICY, type Policy } from './policy.ts'
import type { BuiltWheel, Store } from './ports.ts'
import { promiseId, type PromiseTerms } from './promise-list.ts'
import type { Recipes } from './recipes.ts'

/** A wheel that a page lists, or listed, before it existed. */
export interface Promised {
  project: string
  version: string
  target: Target
  /** The build number in its file name. */
  number: number
  filename: string
  sdist: { sha256: string; filename: string }
}

export interface PromiseBook {
  /** What decides which promises a page lists for this target, whose builder image is `image`: `promisesOn` lists them. */
  terms(project: string, target: Target, image: string): Promise<PromiseTerms>
  /** The promise behind an address. Throws `no-such-promise`, and `blocked-by-policy` with its sdist. */
  resolve(id: string, filename: string): Promise<Promised>
  /** The wheel that keeps it, once built. */
  kept(promised: Promised): Promise<BuiltWheel | undefined>
}

/**
 * Promises need no row: an id is a keyed hash of what is promised, so that nobody can guess one and every process, before and after
 * a restart, makes and knows the same.
 */
export function createPromises({ store, recipes, policy = NO_POLICY }: {
  store: Store
  recipes: Pick<Recipes, 'show'>
  policy?: Pick<Policy, 'check'>
}): PromiseBook {
  let secret: Promise<string> | undefined

  return { terms, resolve, kept }

  async function terms(project: string, target: Target, image: string): Promise<PromiseTerms> {
    const layers = (await recipes.show(project)).map(({ origin, versions, targets, recipe }) => ({ project, origin, versions, targets, recipe, note: undefined }))
    const remembered = (await store.jobs.remembered(project)).filter((job) => job.target === target.name && job.image === image)
    return { target, layers, failed: remembered.map(({ sdist, recipe }) => ({ sdist, recipe })), key: await promiseKey() }
  }

  async function resolve(id: string, filename: string): Promise<Promised> {
    const wheel = parseWheelFilename(filename)
    const target = wheel && parseTarget(`${wheel.pythons.join('.')}-${wheel.platforms.join('.')}`)
    const number = Number(wheel?.build)
    if (!wheel || !target || !(number >= 1)) throw noSuchPromise(filename)
    const { project, version } = wheel
    const key = await promiseKey()
    const sdists = (await store.pages.files(project)).filter((file) => isSdistOf(file.filename, project, version))
    const sdist = sdists.find((file) => isId(id, promiseId(key, file.sha256, filename)))
    if (!sdist) throw noSuchPromise(filename)
    await policy.check(sdist)
    return { project, version, target, number, filename, sdist: { sha256: sdist.sha256, filename: sdist.filename } }
  }

  async function kept({ sdist, target, number, filename }: Promised): Promise<BuiltWheel | undefined> {
    const wheel = await store.wheels.built(sdist.sha256, target.name, number)
    return wheel?.filename === filename ? wheel : undefined
  }

  function promiseKey(): Promise<string> {
    secret ??= store.secrets.secret('promise-key', () => randomBytes(32).toString('hex'))
    return secret
  }
}

function isSdistOf(filename: string, project: string, version: string): boolean {
  const sdist = parseSdistFilename(filename, project)
  return sdist !== undefined && canonicalVersion(sdist.version) === canonicalVersion(version)
}

function isId(given: string, right: string): boolean {
  return /^[0-9a-f]{32}$/.test(given) && timingSafeEqual(Buffer.from(given), Buffer.from(right))
}

function noSuchPromise(filename: string): MuslinError {
  return new MuslinError('no-such-promise', `${filename} was never promised under this address; open its project's page anew`)
}
