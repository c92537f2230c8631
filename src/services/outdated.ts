import { setImmediate } from 'node:timers/promises'
import { outdatedLibraries } from '../domain/apk-index.ts'
import { PRIORITY, type Job } from '../domain/job.ts'
import { isSuperseded } from '../domain/merge.ts'
import type { ProjectPage } from '../domain/page.ts'
import type { JobViews } from './job-views.ts'
import { lastOf } from './last-of.ts'
import { createNewestInBranches } from './newest-in-branches.ts'
import type { ApkBranches, BuiltWheel, Clock, Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Outdated, OutdatedLine, OutdatedOrder, OutdatedRebuilt } from './rebuild-views.ts'
import type { Recipes } from './recipes.ts'
import { singleFlight } from './single-flight.ts'
import type { UpstreamPages } from './upstream-pages.ts'

export interface OutdatedWheels {
  /** The wheels that installers take, and that bundle a library of which the branch that it came from has a newer apk. */
  list(): Promise<Outdated>
  /** Has them built anew, under the next build number each. One whose rebuild was published since it was listed is left, as any other name is. */
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
  branches: Pick<ApkBranches, 'indexes'>
  upstreamPages: Pick<UpstreamPages, 'read'>
  recipes: Pick<Recipes, 'forProject'>
  readyTargets: ReadyTargets
  jobViews: JobViews
  clock: Clock
}): OutdatedWheels {
  const flight = singleFlight<Looked>()
  const judged = lastOf<{ generation: number; left: boolean }>(REMEMBERED)

  return {
    async list() {
      const { old, unreachable } = await flight('', look)
      return { outdated: await Promise.all(old.map(lineOf)), unreachable }
    },
    async rebuild({ filenames }, askedBy) {
      const wheels = new Map((await look()).old.map(({ wheel }) => [wheel.filename, wheel]))
      const rebuilt: OutdatedRebuilt = { jobs: [], left: [] }
      for (const filename of new Set(filenames ?? wheels.keys())) {
        const wheel = wheels.get(filename)
        const made = wheel ? await order(wheel, askedBy) : 'it is no outdated wheel, or not any more; muslin outdated lists them'
        if (typeof made === 'string') rebuilt.left.push({ filename, why: made })
        else rebuilt.jobs.push(await jobViews.job(made))
      }
      return rebuilt
    },
  }

  async function look(): Promise<Looked> {
    const newest = createNewestInBranches({ branches, clock })
    const wheels = await store.wheels.bundling()
    const old = new Map<BuiltWheel, Old[]>()
    // By project: a page may take megabytes, and only one of them is held at a time.
    for (const ofProject of Map.groupBy(wheels, ({ project }) => project).values()) {
      const page = onceRead(ofProject[0]!.project)
      for (const wheel of ofProject) {
        const { repositories, arch, bundled } = wheel.system!
        const older = outdatedLibraries(bundled, await newest.of(repositories, arch)).map((one): Old => ({ wheel, ...one }))
        if (older.length > 0 && !await isLeft(wheel, page)) old.set(wheel, older)
      }
    }
    return { old: wheels.flatMap((wheel) => old.get(wheel) ?? []), unreachable: newest.unreachable() }
  }

  function onceRead(project: string): () => Promise<ProjectPage | undefined> {
    let page: Promise<ProjectPage | undefined> | undefined
    return () => page ??= upstreamPages.read(project).then((kept) => kept?.page)
  }

  /** Nobody takes it any more: there is a later build, which may bundle nothing, or the upstream has a wheel. */
  async function isLeft(wheel: BuiltWheel, read: () => Promise<ProjectPage | undefined>): Promise<boolean> {
    const { project, filename } = wheel
    const generation = await store.generation(project)
    const known = judged.get(filename)
    if (known?.generation === generation) return known.left
    // A page is parsed at once: whoever else wants something gets a turn before that.
    await setImmediate()
    const page = await read()
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

  /** The newest one that was ordered since the wheel is there; not the one that made it, unless that was ordered again. */
  async function rebuildOf({ project, sdist, target, publishedAt, build }: BuiltWheel): Promise<Job | undefined> {
    const jobs = await store.jobs.list({ project, kind: 'rebuild' })
    return jobs.find((job) => job.sdist.sha256 === sdist && job.target === target && job.createdAt >= publishedAt && !(job.state === 'built' && job.build === build))
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
