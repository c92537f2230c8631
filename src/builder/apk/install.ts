/** Adds apks to the image that a build runs in: fetched through Muslin, installed without a network, kept as an image. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { findApks, resolveApk } from '../../domain/apk-find.ts'
import { apkFilename } from '../../domain/apk-index.ts'
import { cleanLine } from '../../domain/clean.ts'
import type { Failure } from '../../domain/failure.ts'
import { MuslinError } from '../../errors.ts'
import type { ApkBranches, ApkIndexFile, Engine, Run } from '../../services/ports.ts'
import { packTar, type TarEntry } from '../../services/tar.ts'
import { PLAIN } from '../environment.ts'
import { Failed } from '../failed.ts'
import type { Image } from '../images.ts'
import { PLACE, type Box, type Session } from '../session.ts'
import { APK_CALLS, apkFailure } from './calls.ts'
import { repositoriesFile, setUpFetching, type Fetching, type Served } from './fetch.ts'
import { lookAt, type Look } from './look.ts'
import { ownersOf, type ApkVersion } from './owners.ts'
import { plannedApks, secondPython, type PlannedApk } from './planned.ts'

export type { ApkVersion } from './owners.ts'

export interface Apks {
  /** Whether this image has apk and repositories; undefined where it has not, or where the engine installs nothing. */
  of(session: Session, image: Image): Promise<ImageApks | undefined>
}

/** The apks of an image and of its repositories. */
export interface ImageApks {
  /** Alpine's name of the CPU. */
  arch: string
  /** Paths below Muslin's root, such as `apk/v3.21/main`. */
  repositories: string[]
  /**
   * Names that these repositories have, for what a failure names, best first; none where nothing is known. Throws what the upstream's failure
   * is where that cannot be said: not all of them can be reached and were read before, or none has an index.
   */
  find(failure: Failure): Promise<string[]>
  /**
   * `image` with these added; names that no repository has are left out. The same set is made once, whoever needs it. Throws Failed
   * where the image's Python would not stay the only one, or where apk cannot do it. What is to be fresh is brought up to date with them.
   */
  add(session: Session, names: string[], indexUrl: string): Promise<Added>
  /** Which apk owns each of these files of the image; those that none owns are left out. */
  owners(box: Box, paths: string[]): Promise<Map<string, ApkVersion>>
}

/** `image` is the one that was asked for where all of it was there. */
export interface Added { image: Image; added: ApkVersion[]; unknown: string[] }

/** Images, and plans, that are remembered: a look costs a run each. */
const MOST = 500
/** Indexes change every few hours, twice during one plan never; and other builds are not stopped again and again. */
const ATTEMPTS = 3

export function createApks({ engine, branches }: { engine: Engine; branches: ApkBranches }): Apks {
  const looks = new LRUCache<string, Look | 'none'>({ max: MOST })
  const plans = new LRUCache<string, PlannedApk[]>({ max: MOST })

  return {
    async of(session, image) {
      const { derive } = engine
      if (!derive) return undefined
      const look = looks.get(image.digest) ?? await lookAt(session, image, branches) ?? 'none'
      looks.set(image.digest, look)
      if (look === 'none') return undefined
      const { arch, repositories, installed } = look
      const plain = repositories.filter(({ tag }) => tag === undefined).map(({ path }) => path)
      return {
        arch,
        repositories: plain,
        async find(failure) {
          const indexes = await session.fetching(() => indexesOf(repositories.filter(({ tag }) => tag === undefined), arch))
          return findApks(failure, indexes.flatMap(({ entries }) => entries))
        },
        async add(run, names, indexUrl) {
          // Most want a compiler, which is there.
          const { fresh } = run.work
          const stale = fresh !== undefined && fresh.length + names.length > 0
          if (!stale && names.every((name) => installed.has(name))) return { image, added: [], unknown: [] }
          return run.fetching(() => add({ session: run, image, arch, repositories, installed, indexUrl, derive: derive.bind(engine) }, names))
        },
        owners: ownersOf,
      }
    },
  }

  /** Throws where it is the mirror that has nothing for this CPU: taken for empty repositories, their apks would be left out of every build. */
  async function indexesOf(repositories: Served[], arch: string): Promise<ApkIndexFile[]> {
    const indexes = await branches.indexes(repositories.map(({ path }) => path), arch)
    const plain = repositories.filter(({ tag }) => tag === undefined).map(({ path }) => path)
    if (plain.length === 0 || indexes.some(({ path }) => plain.includes(path))) return indexes
    throw new MuslinError('upstream-refused', `no index for ${arch} in ${plain.join(', ')}; check the setting apkMirror, or what repositories the builder image names`)
  }

  async function add(given: Adding, names: string[]): Promise<Added> {
    const { session, image, repositories } = given
    for (let attempt = 1; ; attempt++) {
      const indexes = await session.guard(indexesOf(repositories, given.arch))
      const { known, unknown } = resolve([...names, ...staleApks(given, indexes)], indexes)
      if (known.length === 0) return { image, added: [], unknown }
      const made = await attemptAt(given, known, indexes)
      if (made) return { ...made, unknown }
      if (attempt === ATTEMPTS) throw new Failed({ class: 'infrastructure', key: 'the index of an apk repository changes all the time' })
    }
  }

  /** Undefined where apk saw another index than we did. */
  async function attemptAt(given: Adding, names: string[], indexes: ApkIndexFile[]): Promise<Omit<Added, 'unknown'> | undefined> {
    const { session, image, indexUrl } = given
    const repositories = given.repositories.filter(({ path }) => indexes.some((index) => index.path === path))
    const fetching = <T>(use: (fetching: Fetching) => Promise<T>): Promise<T> =>
      session.within({ image: image.ref, network: 'fetch' }, async (box) => use(await setUpFetching(session, box, { repositories, indexUrl })))
    const key = JSON.stringify([image.digest, names, session.work.fresh !== undefined, indexes.map(({ sha256 }) => sha256)])
    const known = plans.get(key)
    if (known) return derived(given, repositories, indexes, names, known, fetching)
    return fetching(async (one) => {
      const planned = plannedApks(await one.plan(names), indexes)
      if (!planned) return undefined
      const second = secondPython(planned)
      if (second !== undefined) throw new Failed({ class: 'build-failed', key: cleanLine(second) })
      plans.set(key, planned)
      return derived(given, repositories, indexes, names, planned, (use) => use(one))
    })
  }

  async function derived(
    given: Adding, repositories: Served[], indexes: ApkIndexFile[], names: string[], planned: PlannedApk[],
    fetching: <T>(use: (fetching: Fetching) => Promise<T>) => Promise<T>,
  ): Promise<Omit<Added, 'unknown'>> {
    const { session, image, derive } = given
    const added = planned.map(({ entry: { name, version } }) => ({ name, version }))
    if (planned.length === 0) return { image, added }
    const key = `apks ${createHash('sha256').update(JSON.stringify(planned.map(({ entry: { name, version, checksum } }) => [name, version, checksum]))).digest('hex')}`
    for (let attempt = 1; ; attempt++) {
      let ours = false
      const made = derive(image.ref, key, async (run) => {
        ours = true
        const files = await fetching((one) => one.fetch(planned, join(session.work.scratch, 'apks')))
        await install(session, run, { repositories, indexes, arch: given.arch, names, planned, files })
      })
      try {
        return { image: await session.guard(made), added }
      } catch (error) {
        // Another build that needs the same was making it, and was stopped, or ran out of its time: that says nothing about ours.
        if (ours || session.signal.aborted || attempt === ATTEMPTS) throw error
      }
    }
  }
}

interface Adding {
  session: Session
  image: Image
  arch: string
  /** Names of the apks that the image holds. */
  installed: Set<string>
  repositories: Served[]
  indexUrl: string
  derive: NonNullable<Engine['derive']>
}

/** What the image holds of the apks that are to be fresh, and of those made with them: a library and what compilers need of it are of one version. */
function staleApks({ session: { work: { fresh = [] } }, installed }: Adding, indexes: ApkIndexFile[]): string[] {
  const entries = indexes.flatMap((index) => index.entries)
  const origins = new Set(entries.filter(({ name }) => fresh.includes(name)).map(({ origin }) => origin))
  return [...new Set(entries.filter(({ name, origin }) => installed.has(name) && origins.has(origin)).map(({ name }) => name))]
}

function resolve(names: string[], indexes: ApkIndexFile[]): { known: string[]; unknown: string[] } {
  const entries = indexes.flatMap((index) => index.entries)
  const unknown: string[] = []
  const known = names.flatMap((name) => {
    const found = resolveApk(entries, name)
    if (found === undefined) unknown.push(name)
    return found ?? []
  })
  return { known: [...new Set(known)].sort(), unknown }
}

/** Puts the files in as repositories of their own, with the indexes that Alpine signed, and has apk install from them. */
async function install(session: Session, run: Run, { repositories, indexes, arch, names, planned, files }: {
  repositories: Served[]
  indexes: ApkIndexFile[]
  arch: string
  names: string[]
  planned: PlannedApk[]
  files: Map<string, string>
}): Promise<void> {
  const entries: TarEntry[] = [
    { name: 'muslin/repositories', body: repositoriesFile(repositories, (path) => `${PLACE}/${path}`) },
    ...indexes.map(({ path, size, open }) => ({ name: `muslin/${path}/${arch}/APKINDEX.tar.gz`, body: { size, open } })),
    ...planned.flatMap(({ entry, paths }) => paths.map((path) => ({
      name: `muslin/${path}/${arch}/${apkFilename(entry)}`,
      body: { size: entry.size, open: () => createReadStream(files.get(apkFilename(entry)) ?? '') },
    }))),
  ]
  await session.guard(run.put('/tmp', packTar(entries)))
  const chunks: Buffer[] = []
  const { exitCode } = await run.exec(APK_CALLS.add.command({ repositories: `${PLACE}/repositories`, folder: '', names, upgrade: session.work.fresh !== undefined }), {
    env: PLAIN,
    signal: session.signal,
    output: (chunk) => {
      session.work.log.write(chunk)
      chunks.push(Buffer.from(chunk))
    },
  })
  const failure = apkFailure(APK_CALLS.add, exitCode, Buffer.concat(chunks).toString('utf8'))
  if (failure) throw new Failed(failure)
}
