import { setImmediate } from 'node:timers/promises'
import { estimateTogether } from '../domain/estimate.ts'
import { readLock, type Lock } from '../domain/lock/lock.ts'
import { markerEnvironment } from '../domain/marker-environment.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { versionKey } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import { MOST_PLAN_LINES } from './bounds.ts'
import { createPlanLines, type Asked } from './plan-lines.ts'
import type { Policy } from './policy.ts'
import type { Store } from './ports.ts'
import type { ReadyTargets } from './ready-targets.ts'
import type { Recipes } from './recipes.ts'
import type { UpstreamPages } from './upstream-pages.ts'
import type { Plan, PlanLine, PlanRequest } from './views.ts'

export interface Planner {
  /**
   * What becomes of every release that the lock files pin, on each target. Nothing is built or queued; pages that are not fresh are asked
   * for. Throws `bad-lock` for all files at once, `unknown-target` and `too-large`; rejects with the signal's reason soon after it aborts.
   */
  plan(request: PlanRequest, how?: Planning): Promise<Plan>
}

/** `native`: of which releases a native wheel is wanted where there is a pure one that stands in for it. */
export interface Planning { signal?: AbortSignal; most?: PlanBounds; native?: (release: { project: string; version: string }) => boolean }

/** What is planned without the admin's token: distinct releases, and bytes of all files together. */
export interface PlanBounds { releases: number; bytes: number }

/** Pages that are asked for at once. */
const AT_ONCE = 8

export function createPlanner({ store, recipes, upstreamPages, policy, readyTargets, targets: configured, workers }: {
  store: Store
  recipes: Pick<Recipes, 'forProject'>
  /** All that the upstream lists: why something of it is not served is told. */
  upstreamPages: UpstreamPages
  policy?: Pick<Policy, 'permitted'>
  readyTargets: ReadyTargets
  /** Names of the configured targets. */
  targets: string[]
  /** How many builds run at once. */
  workers: number
}): Planner {
  const linesOf = createPlanLines({ store, recipes, upstreamPages, policy })

  return { plan }

  async function plan({ files, targets: wanted, extras = [], groups }: PlanRequest, { signal, most, native }: Planning = {}): Promise<Plan> {
    const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    if (most && bytes > most.bytes) throw new MuslinError('too-large', `the files have more than ${most.bytes / 1_000_000} MB together; the admin's token lifts that bound`)
    const images = await readyTargets()
    const targets = chosenTargets(wanted, images)
    const locks = await readAll(files, signal)
    const asked: Asked[] = []
    const counts = new Map<Lock, Set<string>>()
    const releases = new Set<string>()
    for (const lock of locks) {
      const pinned = new Set<string>()
      counts.set(lock, pinned)
      for (const target of targets) {
        await othersFirst(signal)
        const environment = markerEnvironment(target)
        const refusal = lock.refusal(environment)
        for (const pin of lock.pins(environment, { extras, groups })) {
          pinned.add(releaseKey(pin))
          releases.add(releaseKey(pin))
          asked.push({ pin, target, file: lock.name, refusal, native: native?.(pin) })
        }
        if (most && releases.size > most.releases) throw new MuslinError('too-large', `the files pin more than ${most.releases} releases; the admin's token lifts that bound`)
        if (asked.length > MOST_PLAN_LINES) throw new MuslinError('too-large', `the files pin more than ${MOST_PLAN_LINES} releases on these targets; plan fewer at once`)
      }
    }
    const lines = await inTurns([...Map.groupBy(asked, ({ pin }) => pin.project)], ([project, group]) => linesOf(project, group, images), signal)
    const byAsked = new Map(lines.flat())
    return {
      targets: targets.map(({ name }) => name),
      files: locks.map((lock) => ({ name: lock.name, kind: lock.kind, pins: counts.get(lock)!.size })),
      lines: asked.map((each) => byAsked.get(each)!),
      totals: totalsOf(asked.map((each) => byAsked.get(each)!)),
    }
  }

  /** Those that were named, else those that can be built for now, else the configured ones. */
  function chosenTargets(wanted: string[] | undefined, images: Map<string, string>): Target[] {
    const known = new Set([...configured, ...images.keys()])
    const names = wanted && wanted.length > 0 ? [...new Set(wanted)] : images.size > 0 ? [...images.keys()].toSorted() : configured
    return names.map((name) => {
      const target = known.has(name) ? parseTarget(name) : undefined
      if (target) return target
      throw new MuslinError('unknown-target', `${name.slice(0, 60)} is no configured target; ${known.size > 0 ? `the targets are ${[...known].join(', ')}` : 'there is none'}`)
    })
  }

  function totalsOf(lines: PlanLine[]): Plan['totals'] {
    // Two files may pin the same release.
    const distinct = [...new Map(lines.map((line) => [`${releaseKey(line)} ${line.target}`, line])).values()]
    const count = (verdict: PlanLine['verdict']) => distinct.filter((line) => line.verdict === verdict).length
    return {
      upstreamWheel: count('upstream-wheel'), built: count('built'), wouldBuild: count('would-build'), cannot: count('cannot'),
      estimateSeconds: estimateTogether(distinct.flatMap((line) => line.verdict === 'would-build' ? line.estimateSeconds ?? [] : []), workers),
    }
  }
}

function releaseKey({ project, version }: { project: string; version: string }): string {
  return `${project} ${versionKey(version)}`
}

/** Reads all files before it complains of one. */
async function readAll(files: PlanRequest['files'], signal: AbortSignal | undefined): Promise<Lock[]> {
  const problems: MuslinError[] = []
  const locks: Lock[] = []
  for (const [index, { name, text }] of files.entries()) {
    await othersFirst(signal)
    try {
      locks.push(readLock(name, text, files.toSpliced(index, 1).map((other) => other.name)))
    } catch (error) {
      if (!(error instanceof MuslinError) || error.code !== 'bad-lock') throw error
      problems.push(error)
    }
  }
  const [first] = problems
  if (!first) return locks
  throw problems.length === 1 ? first : new MuslinError('bad-lock', problems.map(({ detail }) => detail).join('; '))
}

/** The results in their order; so many at once. The first that fails ends it. */
async function inTurns<T, R>(items: T[], work: (item: T) => Promise<R>, left: AbortSignal | undefined): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const failed = new AbortController()
  const signal = left ? AbortSignal.any([left, failed.signal]) : failed.signal
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    try {
      for (const [index, item] of queue) {
        await othersFirst(signal)
        results[index] = await work(item)
      }
    } catch (error) {
      failed.abort(error)
      throw error
    }
  }))
  return results
}

/** Nothing here waits for anything while pages are fresh: whoever else wants something gets a turn between two steps. */
async function othersFirst(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}
