import { sha256Of } from '../domain/digest.ts'
import { parseSdistFilename } from '../domain/filename.ts'
import { PRIORITY, type Job, type Wish } from '../domain/job.ts'
import { projectNamed } from '../domain/names.ts'
import type { ProjectPage } from '../domain/page.ts'
import type { HeldFile } from '../domain/policy.ts'
import { heldLine } from '../domain/policy-line.ts'
import { sdistsByVersion } from '../domain/promise.ts'
import { canonicalVersion, compareVersions, isPrerelease, parseVersion, versionKey } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import { noSuchJob } from './job-views.ts'
import { NO_POLICY, type Policy } from './policy.ts'
import type { Clock, Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import { notBuilt, type Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'
import type { JobOrder } from './views.ts'

export interface Orders {
  /**
   * One job a target: made, joined, or tried again where it had failed or was cancelled; of a wheel that is there the job that built it.
   * A trial is a job of its own. Throws `bad-name`, `no-such-project`, `no-such-release`, `unknown-target`,
   * `no-builder`, `blocked-by-policy`, and `not-built-here` where a recipe skips the release on a target that is named, or on all.
   */
  build(order: JobOrder, askedBy: string): Promise<Job[]>
  /**
   * Adds apks to the recipe of a failed job's project and queues the job anew: as another one, since its recipe is another. Throws
   * `no-such-job`, `not-possible-now` of a job that has not failed, `no-builder` and `not-built-here`.
   */
  addApks(id: number, apks: string[], askedBy: string): Promise<Job>
  /** Queues a failed or cancelled job again. Throws `no-such-job`, and `not-possible-now` of any other. */
  retry(id: number): Promise<Job>
  /** Ends a queued or running job. Throws `no-such-job`, and `not-possible-now` of any other. */
  cancel(id: number): Promise<Job>
}

interface Release { project: string; version: string; sdist: { sha256: string; filename: string } }

/** What a person orders by hand. */
export function createOrders({ store, recipes, upstreamPages, policy = NO_POLICY, readyTargets, targets: configured, clock }: {
  store: Store
  recipes: Pick<Recipes, 'forProject' | 'addApks'>
  /** All that the upstream lists: why something of it is not built is told. */
  upstreamPages: UpstreamPages
  policy?: Pick<Policy, 'permitted'>
  readyTargets: ReadyTargets
  /** Names of the configured targets. */
  targets: string[]
  clock: Clock
}): Orders {
  const { jobs, wheels } = store

  return { build, addApks, retry, cancel }

  async function build({ project: name, version, targets, publish = true }: JobOrder, askedBy: string): Promise<Job[]> {
    const project = projectNamed(name)
    const images = imagesFor(await readyTargets(), targets)
    const release = await releaseOf(project, version)
    const applied = await recipes.forProject(release.project)
    const ordered: Job[] = []
    let skipped: string | undefined
    for (const [target, image] of images) {
      const there = publish ? await builtJob(release, target) : undefined
      const { recipe, digest } = applied(release.version, target)
      skipped ??= there ? undefined : recipe.skip
      if (there) ordered.push(there)
      else if (recipe.skip === undefined) ordered.push(await wished({ kind: publish ? 'build' : 'trial', ...release, target, recipe: digest, image, priority: PRIORITY.waiting, askedBy }))
    }
    if (skipped !== undefined && (targets || ordered.length === 0)) throw notBuilt(release, skipped)
    return ordered
  }

  /** Whoever orders what failed before wants it tried again, and waits for it. */
  async function wished(wish: Wish): Promise<Job> {
    const { job } = await jobs.wish(wish, clock.now())
    if (job.state !== 'failed' && job.state !== 'cancelled') return job
    await jobs.retry(job.id, clock.now())
    return (await jobs.wish(wish, clock.now())).job
  }

  async function builtJob({ project, sdist }: Release, target: string): Promise<Job | undefined> {
    const built = (await wheels.wheels(project)).filter((wheel) => wheel.sdist === sdist.sha256 && wheel.target === target)
    const newest = built.toSorted((a, b) => b.number - a.number)[0]
    const run = newest && await jobs.build(newest.build)
    return run && jobs.get(run.job)
  }

  function imagesFor(ready: Map<string, string>, names: string[] | undefined): Map<string, string> {
    if (ready.size === 0) throw new MuslinError('no-builder', 'no builder is ready; the server printed at its start which engine it found, muslin doctor says more')
    if (names === undefined) return ready
    return new Map(names.map((name) => {
      const image = ready.get(name)
      if (image !== undefined) return [name, image]
      if (configured.includes(name)) throw new MuslinError('no-builder', `no builder is ready for ${name}; those of ${[...ready.keys()].join(', ')} are`)
      throw new MuslinError('unknown-target', `${name.slice(0, 60)} is no configured target; the targets are ${configured.join(', ')}`)
    }))
  }

  async function releaseOf(project: string, version: string | undefined): Promise<Release> {
    await upstreamPages.refresh(project)
    const { sdists, held } = await offered(project)
    if (version === undefined) {
      const [newest] = sdists.filter(({ yanked }) => !yanked).toSorted(newestFirst)
      if (!newest && held[0]) throw blocked(held[0])
      if (!newest) throw new MuslinError('no-such-release', `no release of ${project} has an sdist, so nothing can be compiled; install its wheels`)
      return newest.release
    }
    const named = (all: Listed[]) => all.find(({ release }) => versionKey(release.version) === versionKey(version))
    const withheld = (all: HeldFile[]) => all.find((file) => file.version !== undefined && versionKey(file.version) === versionKey(version))
    // It may have come out since the page did, and somebody waits for it.
    const latest = named(sdists) || withheld(held) ? { sdists, held } : await upstreamPages.reload(project).then(() => offered(project), () => ({ sdists, held }))
    const found = named(latest.sdists)
    const blocking = withheld(latest.held)
    if (!found && blocking) throw blocked(blocking)
    if (!found) throw new MuslinError('no-such-release', `${project} has no release ${version.slice(0, 60)} with an sdist; ask /simple/${project}/ for its files`)
    return found.release
  }

  /** The sdists that may be built, and what a rule holds back. */
  async function offered(project: string): Promise<{ sdists: Listed[]; held: HeldFile[] }> {
    const kept = await upstreamPages.read(project)
    if (!kept) throw new MuslinError('no-such-project', `the upstream knows no project ${project}; check the name`)
    const { page, held } = await policy.permitted(project, { page: kept.page, wheels: [] })
    return { sdists: sdistsOf(page ?? kept.page, project), held }
  }

  async function addApks(id: number, apks: string[], askedBy: string): Promise<Job> {
    const { state, kind, project, version, sdist, target } = await known(id)
    if (state !== 'failed') throw new MuslinError('not-possible-now', `job ${id} is ${state}; only what failed is tried again with more apks`)
    const image = imagesFor(await readyTargets(), [target]).get(target)!
    const applied = async () => (await recipes.forProject(project))(version, target)
    const { skip } = (await applied()).recipe
    if (skip !== undefined) throw notBuilt({ project, version }, skip)
    await recipes.addApks(project, apks, askedBy)
    const { digest } = await applied()
    // A person who mends a build wants its wheel, not its METADATA alone.
    return wished({ kind: kind === 'metadata' ? 'build' : kind, project, version, sdist, target, recipe: digest, image, priority: PRIORITY.waiting, askedBy })
  }

  async function retry(id: number): Promise<Job> {
    const job = await known(id)
    if (job.state !== 'failed' && job.state !== 'cancelled') {
      throw new MuslinError('not-possible-now', `job ${id} is ${job.state}; only failed and cancelled jobs are tried again`)
    }
    return await jobs.retry(id, clock.now()) ?? job
  }

  async function cancel(id: number): Promise<Job> {
    const job = await known(id)
    if (job.state !== 'queued' && job.state !== 'running') throw new MuslinError('not-possible-now', `job ${id} is ${job.state}; only queued and running jobs are cancelled`)
    return await jobs.cancel(id, clock.now()) ?? job
  }

  async function known(id: number): Promise<Job> {
    const job = await jobs.get(id)
    if (!job) throw noSuchJob(id)
    return job
  }
}

interface Listed { release: Release; yanked: boolean }

function sdistsOf(page: ProjectPage, project: string): Listed[] {
  return [...sdistsByVersion(page).values()].map(([{ filename, yanked, ...file }]) => ({
    release: { project, version: canonicalVersion(parseSdistFilename(filename, page.name)!.version), sdist: { sha256: sha256Of(file)!, filename } },
    yanked: Boolean(yanked),
  }))
}

function blocked(file: HeldFile): MuslinError {
  return new MuslinError('blocked-by-policy', heldLine(file.filename, file))
}

/** PEP 440 "Handling of pre-releases": they come after everything else. */
function newestFirst(a: { release: Release }, b: { release: Release }): number {
  const [one, other] = [parseVersion(a.release.version)!, parseVersion(b.release.version)!]
  return Number(isPrerelease(one)) - Number(isPrerelease(other)) || compareVersions(other, one)
}
