import { sha256Of } from '../domain/digest.ts'
import { isFallback, isPure } from '../domain/fallback.ts'
import type { Job } from '../domain/job.ts'
import { projectNamed } from '../domain/names.ts'
import { pythonFits } from '../domain/promise.ts'
import { wheelFits } from '../domain/tags.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import { failureView, iso } from './job-views.ts'
import { releasesOf, type Release } from './matrix-releases.ts'
import type { Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Applied, Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'
import type { MatrixCell, ProjectMatrix } from './views.ts'

export interface Matrix {
  /**
   * What there is of a project, release by target, from the kept page alone: nothing is asked of the upstream and nothing started.
   * Throws `bad-name`, and `no-such-project` where nothing of it is kept.
   */
  project(name: string): Promise<ProjectMatrix>
}

/** What one column needs. `image`: digest of what builds for it now. */
interface Column { target: Target; image: string | undefined }

export function createMatrix({ store, recipes, upstreamPages, readyTargets, targets: configured }: {
  store: Store
  recipes: Pick<Recipes, 'forProject'>
  upstreamPages: Pick<UpstreamPages, 'read'>
  readyTargets: ReadyTargets
  /** Names of the configured targets. */
  targets: string[]
}): Matrix {
  return { project }

  async function project(name: string): Promise<ProjectMatrix> {
    const normalized = projectNamed(name)
    const kept = await upstreamPages.read(normalized)
    const wheels = await store.wheels.wheels(normalized)
    if (!kept && wheels.length === 0) throw new MuslinError('no-such-project', `nothing of ${normalized} is kept here; check the name, or open /simple/${normalized}/ once`)
    const jobs = Map.groupBy(await store.jobs.list({ project: normalized }), (job) => keyOf(job.sdist.sha256, job.target))
    const ready = await readyTargets()
    const applied = await recipes.forProject(normalized)
    const columns = [...new Set([...configured, ...ready.keys()])].flatMap((column) => {
      const target = parseTarget(column)
      return target ? [{ target, image: ready.get(column) }] : []
    })
    return {
      project: normalized,
      fetchedAt: kept ? iso(kept.fetchedAt) : null,
      targets: columns.map(({ target }) => target.name),
      releases: releasesOf(kept?.page, wheels).map((release) => ({
        version: release.version, yanked: release.yanked, prerelease: release.prerelease,
        uploadedAt: release.uploadedAt === undefined ? null : iso(release.uploadedAt),
        cells: Object.fromEntries(columns.map((column) => [column.target.name, cellOf(release, column, jobs, applied(release.version, column.target.name))])),
      })),
    }
  }
}

function cellOf(release: Release, { target, image }: Column, jobs: Map<string, Job[]>, { recipe, digest }: Applied): MatrixCell {
  const fitting = release.upstream.filter(({ wheel }) => wheelFits(wheel, target))
  const built = release.built.filter((wheel) => wheel.target === target.name).toSorted((a, b) => b.number - a.number)[0]
  // pip takes the most specific one.
  const upstream = fitting.find(({ wheel }) => !isPure(wheel)) ?? fitting[0]
  if (upstream && !(built && isFallback(upstream.wheel, release.upstream.map(({ wheel }) => wheel)))) return cell(isPure(upstream.wheel) ? 'pure-wheel' : 'upstream-wheel', { filename: upstream.filename })
  const own = release.sdists.flatMap((sdist) => jobs.get(keyOf(sha256Of(sdist) ?? '', target.name)) ?? [])
  if (built) return cell('built', { filename: built.filename, job: own.find((job) => job.build === built.build)?.id ?? null, build: built.build })
  const job = telling(own, { image, recipe: digest })
  if (job && job.state !== 'built') return cell(job.state, { job: job.id, build: job.build ?? null, failure: job.failure ? failureView(job.failure) : null })
  const [sdist] = release.sdists
  if (!sdist) return cell('no-sdist')
  if (recipe.skip !== undefined) return cell('skipped', { why: recipe.skip })
  return cell(pythonFits(sdist['requires-python'], target) ? 'could-build' : 'unsupported-python')
}

function cell(verdict: MatrixCell['verdict'], rest: Partial<MatrixCell> = {}): MatrixCell {
  return { verdict, filename: null, job: null, build: null, failure: null, why: null, ...rest }
}

/**
 * The job that says how it stands: one that is under way, else one that failed. With another builder image or recipe a release is promised
 * again, so what failed with an older one says nothing while there is a newer one. A metadata job that fails ends the promise too.
 */
function telling(jobs: Job[], { image, recipe }: { image: string | undefined; recipe: string }): Job | undefined {
  const ours = jobs.filter(({ kind }) => kind === 'build' || kind === 'metadata').toSorted((a, b) => Number(b.kind === 'build') - Number(a.kind === 'build') || b.id - a.id)
  return ours.find(({ state }) => state === 'running') ?? ours.find(({ state }) => state === 'queued')
    ?? ours.find((job) => (job.state === 'failed' || job.state === 'cancelled') && job.recipe === recipe && (image === undefined || job.image === image))
}

function keyOf(sdist: string, target: string): string {
  return `${sdist} ${target}`
}
