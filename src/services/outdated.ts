import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { newestApks, outdatedLibraries } from '../domain/apk-index.ts'
import { PRIORITY, type Job } from '../domain/job.ts'
import { isSuperseded } from '../domain/merge.ts'
import type { ProjectPage } from '../domain/page.ts'
import { MuslinError } from '../errors.ts'
import type { JobViews } from './job-views.ts'
import type { ApkBranches, BuiltWheel, Clock, Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Outdated, OutdatedLine, OutdatedOrder, OutdatedRebuilt } from './rebuild-views.ts'
import type { Recipes } from './recipes.ts'
import { singleFlight } from './single-flight.ts'
import type { UpstreamPages } from './upstream-pages.ts'

export interface OutdatedWheels {
  /** The wheels that installers take, and that bundle a library of which the branch that it came from has a newer apk. */
  list(): Promise<Outdated>
  /** Has them built anew, under the next build number each. Throws `bad-request` for a file name that is none of theirs. */
  rebuild(order: OutdatedOrder, askedBy: string): Promise<OutdatedRebuilt>
}

type System = NonNullable<BuiltWheel['system']>
interface Looked { old: Old[]; unreachable: Outdated['unreachable'] }
interface Old { wheel: BuiltWheel; library: System['bundled'][number]; newest: string }

/** Anybody may ask for the list, and pages of thousands of files are read for it: what came of each is remembered for so many wheels. */
const REMEMBERED = 10_000

/** Security updates: a wheel carries its libraries along, and nobody else renews them. */
export function createOutdated({ store, branches, upstreamPages, recipes, readyTargets, jobViews, clock }: {
  store: Store
  branches: Pick<ApkBranches, 'index'>
  upstreamPages: Pick<UpstreamPages, 'read'>
  recipes: Pick<Recipes, 'forProject'>
  readyTargets: ReadyTargets
  jobViews: JobViews
  clock: Clock
}): OutdatedWheels {
  const flight = singleFlight<Looked>()
  const judged = new LRUCache<string, { generation: number; left: boolean }>({ max: REMEMBERED })

  return {
    async list() {
      const { old, unreachable } = await flight('', look)
      return { outdated: await Promise.all(old.map(lineOf)), unreachable }
    },
    async rebuild({ filenames }, askedBy) {
      const wheels = new Map((await look()).old.map(({ wheel }) => [wheel.filename, wheel]))
      const strange = filenames?.find((name) => !wheels.has(name))
      if (strange !== undefined) throw new MuslinError('bad-request', `${strange.slice(0, 200)} is no outdated wheel; muslin outdated lists them`)
      const rebuilt: OutdatedRebuilt = { jobs: [], left: [] }
      for (const wheel of wheels.values()) {
        if (filenames && !filenames.includes(wheel.filename)) continue
        const made = await order(wheel, askedBy)
        if (typeof made === 'string') rebuilt.left.push({ filename: wheel.filename, why: made })
        else rebuilt.jobs.push(await jobViews.job(made))
      }
      return rebuilt
    },
  }

  async function look(): Promise<Looked> {
    const pages = new Map<string, ProjectPage | undefined>()
    const indexes = new Map<string, Promise<Map<string, string> | MuslinError>>()
    const unreachable = new Map<string, Outdated['unreachable'][number]>()
    const old: Old[] = []
    for (const wheel of await store.wheels.bundling()) {
      const { repositories, arch, bundled } = wheel.system!
      const key = JSON.stringify([repositories, arch])
      if (!indexes.has(key)) indexes.set(key, newestOf(repositories, arch))
      const newest = await indexes.get(key)!
      if (newest instanceof MuslinError) {
        unreachable.set(key, { repositories, why: newest.detail })
        continue
      }
      const older = outdatedLibraries(bundled, newest).map((one): Old => ({ wheel, ...one }))
      if (older.length > 0 && !await isLeft(wheel, pages)) old.push(...older)
    }
    return { old, unreachable: [...unreachable.values()] }
  }

  /** Name → newest version; or why it cannot be told. */
  async function newestOf(repositories: string[], arch: string): Promise<Map<string, string> | MuslinError> {
    try {
      return newestApks(await branches.index(repositories, arch))
    } catch (error) {
      if (error instanceof MuslinError) return error
      throw error
    }
  }

  /** Nobody takes it any more: there is a later build, which may bundle nothing, or the upstream has a wheel. `pages`: those of this look. */
  async function isLeft(wheel: BuiltWheel, pages: Map<string, ProjectPage | undefined>): Promise<boolean> {
    const { project, filename } = wheel
    const generation = await store.generation(project)
    const known = judged.get(filename)
    if (known?.generation === generation) return known.left
    // A page is parsed at once: whoever else wants something gets a turn before that.
    await setImmediate()
    if (!pages.has(project)) pages.set(project, (await upstreamPages.read(project))?.page)
    const page = pages.get(project)
    const later = (await store.wheels.wheels(project)).some(({ sdist, target, number }) => sdist === wheel.sdist && target === wheel.target && number > wheel.number)
    const left = later || (page !== undefined && isSuperseded(page, wheel))
    judged.set(filename, { generation, left })
    return left
  }

  async function lineOf({ wheel, library, newest }: Old): Promise<OutdatedLine> {
    const job = await rebuildOf(wheel)
    return {
      project: wheel.project, version: wheel.version, target: wheel.target, filename: wheel.filename,
      library: library.library, apk: library.apk, has: library.version, newest, job: job?.id ?? null, state: job?.state ?? null,
    }
  }

  /** The newest one that was ordered since the wheel is there. */
  async function rebuildOf({ project, sdist, target, publishedAt, build }: BuiltWheel): Promise<Job | undefined> {
    const jobs = await store.jobs.list({ project, kind: 'rebuild' })
    return jobs.find((job) => job.sdist.sha256 === sdist && job.target === target && job.createdAt >= publishedAt && job.build !== build)
  }

  /** Its rebuild, or why there can be none. */
  async function order({ project, version, sdist: sha256, target, build }: BuiltWheel, askedBy: string): Promise<Job | string> {
    const image = (await readyTargets()).get(target)
    if (image === undefined) return `no builder is ready for ${target}`
    const { recipe, digest } = (await recipes.forProject(project))(version, target)
    if (recipe.skip !== undefined) return `a recipe says that it is not built here: ${recipe.skip}`
    const made = await store.jobs.build(build)
    const filename = made && (await store.jobs.get(made.job))?.sdist.filename
    if (filename === undefined) return 'nobody knows what it was built from'
    return (await store.jobs.rebuild({
      kind: 'rebuild', project, version, sdist: { sha256, filename }, target, recipe: digest, image, priority: PRIORITY.rebuild, askedBy,
    }, clock.now())).job
  }
}
