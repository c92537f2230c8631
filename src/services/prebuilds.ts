import { estimateTogether } from '../domain/estimate.ts'
import { PRIORITY, type Job, type Priority, type Wish } from '../domain/job.ts'
import { normalizeName } from '../domain/names.ts'
import { pausedLine } from '../domain/reason.ts'
import { versionKey } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import { failureView, iso } from './job-views.ts'
import type { Planner, Planning } from './planner.ts'
import type { Clock, NewPrebuild, Store, StoredPrebuildLine } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { AppliedTo, Recipes } from './recipes.ts'
import type { PlanLine, Prebuild, PrebuildLine, PrebuildList, PrebuildRequest } from './views.ts'

export interface Prebuilds {
  /**
   * Plans and queues what would be built, or of it what `only` names; a job that failed before is tried again only where `only` names it.
   * Throws what planning does, `bad-request` where `only` names a line that the plan has not, and `no-builder`.
   */
  create(request: PrebuildRequest, askedBy: string, how?: Pick<Planning, 'native'> & { priority?: Priority }): Promise<Prebuild>
  /** As it stands now. Throws `no-such-prebuild`. */
  get(id: number): Promise<Prebuild>
  /** Newest first. */
  list(limit: number): Promise<PrebuildList['prebuilds']>
}

interface Ordering { named: Set<string> | undefined; images: Map<string, string>; askedBy: string; priority: Priority; applied: AppliedTo }

type Named = Pick<PlanLine, 'project' | 'version' | 'target'>

/** Plans that somebody had built, and how far they are. */
export function createPrebuilds({ store, recipes, planner, readyTargets, workers, clock }: {
  store: Store
  recipes: Pick<Recipes, 'forProject'>
  planner: Planner
  readyTargets: ReadyTargets
  /** How many builds run at once. */
  workers: number
  clock: Clock
}): Prebuilds {
  const { jobs, prebuilds } = store

  return { create, get, list: async (limit) => (await prebuilds.list(limit)).map(({ id, createdAt, name, askedBy }) => ({ id, createdAt: iso(createdAt), name, askedBy })) }

  async function create({ only, ...request }: PrebuildRequest, askedBy: string, { priority = PRIORITY.prebuild, ...how }: Pick<Planning, 'native'> & { priority?: Priority } = {}): Promise<Prebuild> {
    const plan = await planner.plan(request, how)
    const named = only && new Set(only.map(keyOf))
    const planned = new Set(plan.lines.map(keyOf))
    const missing = only?.find((line) => !planned.has(keyOf(line)))
    if (missing) throw new MuslinError('bad-request', `${missing.project} ${missing.version} for ${missing.target} was chosen, but the plan has it no more, or never had it; make the plan again, and choose from that`)
    const images = await readyTargets()
    const applied = new Map<string, AppliedTo>()
    for (const { project } of plan.lines) if (!applied.has(project)) applied.set(project, await recipes.forProject(project))
    const lines = plan.lines.map((line) => ordered(line, { named, images, askedBy, priority, applied: applied.get(line.project)! }))
    const name = plan.files.map((file) => file.name).join(', ')
    return get(await prebuilds.create({ createdAt: clock.now(), askedBy, name, targets: plan.targets, lines }))
  }

  function ordered(line: PlanLine, { named, images, askedBy, priority, applied }: Ordering): NewPrebuild['lines'][number] {
    const { project, version, target, sdist, verdict } = line
    const wanted = named?.has(keyOf(line)) ?? true
    // What failed before cannot be had, unless somebody says that it is to be tried again.
    const again = verdict === 'cannot' && line.job !== null && named !== undefined && wanted
    if (!sdist || (verdict !== 'would-build' && !again)) return { plan: line, leftOut: false }
    if (!wanted) return { plan: line, leftOut: true }
    const image = images.get(target)
    if (image === undefined) throw new MuslinError('no-builder', `no builder is ready for ${target}; start one, or leave that target out`)
    const wish: Wish = { kind: 'build', project, version, target, sdist, recipe: applied(version, target).digest, image, priority, askedBy }
    return { plan: line, wish, again: named !== undefined, leftOut: false }
  }

  async function get(id: number): Promise<Prebuild> {
    const stored = await prebuilds.get(id)
    if (!stored) throw new MuslinError('no-such-prebuild', `no prebuild has the number ${id}; take it from the address that it was started with`)
    const waitedFor = new Map<number, Job>()
    for (const { job } of stored.lines) {
      const found = job === undefined || waitedFor.has(job) ? undefined : await jobs.get(job)
      if (found) waitedFor.set(found.id, found)
    }
    const lines = stored.lines.map((line) => lineView(line, waitedFor.get(line.job ?? 0)))
    const states = [...waitedFor.values()].map(({ state }) => state)
    const done = states.filter((state) => state !== 'queued' && state !== 'running').length
    const finished = done === states.length
    const paused = finished ? null : pausedLine(await jobs.paused())
    return {
      id, createdAt: iso(stored.createdAt), askedBy: stored.askedBy, name: stored.name, targets: stored.targets,
      done, total: states.length, failed: states.filter((state) => state === 'failed' || state === 'cancelled').length,
      finished,
      remainingSeconds: finished || paused !== null ? null : remaining(lines),
      paused,
      lines,
    }
  }

  function lineView({ plan, leftOut }: StoredPrebuildLine, job: Job | undefined): PrebuildLine {
    const line = plan as PlanLine
    return {
      ...line,
      job: job?.id ?? line.job,
      state: job?.state ?? (leftOut ? 'left-out' : line.verdict === 'cannot' ? 'cannot' : 'had'),
      build: job?.build ?? null,
      failure: job?.failure ? failureView(job.failure) : null,
      seconds: job?.startedAt === undefined || job.state === 'queued' ? null : ((job.finishedAt ?? clock.now()) - job.startedAt) / 1000,
    }
  }

  /** Of what is still to do. A run that outlasts its estimate ends any moment. */
  function remaining(lines: PrebuildLine[]): number {
    const open = new Map(lines.filter(({ state }) => state === 'queued' || state === 'running').map((line) => [line.job, line]))
    const left = [...open.values()].map(({ state, estimateSeconds, seconds }) => Math.max(1, (estimateSeconds ?? 0) - (state === 'running' ? seconds ?? 0 : 0)))
    return estimateTogether(left, workers)
  }
}

function keyOf({ project, version, target }: Named): string {
  return JSON.stringify([normalizeName(project), versionKey(version), target])
}
