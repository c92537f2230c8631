import { setImmediate } from 'node:timers/promises'
import { sha256Of } from '../domain/digest.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import type { Job } from '../domain/job.ts'
import { requirementsChanged, type Offered, type Resolved } from '../domain/requirements-changed.ts'
import { parseTarget } from '../domain/target.ts'
import type { Clock, Store } from './ports.ts'
import type { UpstreamPages } from './upstream-pages.ts'

/**
 * Looks through what failed for what would be built with other requirements today, and has it tried again: in the background, and still
 * remembered, so that nothing is promised by that. Pages are taken as they are kept, and nothing is run. Returns how many there are.
 */
export type Forget = () => Promise<number>

/** Jobs read at a time. */
const AT_ONCE = 200

export function createForget({ store, upstreamPages, clock }: { store: Store; upstreamPages: Pick<UpstreamPages, 'read'>; clock: Clock }): Forget {
  return async () => {
    const pages = new Map<string, Offered[] | undefined>()
    const changed: number[] = []
    for (let before: number | undefined; ;) {
      const jobs = await store.jobs.list({ state: 'failed', limit: AT_ONCE, before })
      for (const job of jobs) {
        // There may be thousands, and requests wait meanwhile.
        await setImmediate()
        if (await hasOthers(job, pages)) changed.push(job.id)
      }
      before = jobs.at(-1)?.id
      if (jobs.length < AT_ONCE) break
    }
    return changed.length === 0 ? 0 : store.jobs.hasten(changed, clock.now())
  }

  async function hasOthers(job: Job, pages: Map<string, Offered[] | undefined>): Promise<boolean> {
    const run = job.build === undefined ? undefined : await store.jobs.build(job.build)
    const target = parseTarget(job.target)
    if (!run || run.finishedAt === undefined || !target) return false
    const before = (await store.jobs.builds(run.job, 2)).find(({ id }) => id < run.id)
    const resolved: Resolved = { used: usedOf(run.record), before: usedOf(before?.record).map(({ sha256 }) => sha256), lines: linesOf(run.record), endedAt: run.finishedAt, target }
    for (const project of new Set(resolved.used.flatMap(({ filename }) => projectOf(filename)))) {
      if (!pages.has(project)) pages.set(project, await offeredOf(project))
    }
    return requirementsChanged(resolved, (project) => pages.get(project))
  }

  async function offeredOf(project: string): Promise<Offered[] | undefined> {
    const kept = await upstreamPages.read(project)
    const wheels = await store.wheels.wheels(project)
    if (!kept && wheels.length === 0) return undefined
    const ours = wheels.map(({ filename, sha256, publishedAt, version, target, number }) => ({
      filename, sha256, uploadedAt: publishedAt,
      yanked: wheels.some((other) => other.version === version && other.target === target && other.number > number),
    }))
    const theirs = (kept?.page.files ?? []).map((file) => ({
      filename: file.filename, sha256: sha256Of(file), uploadedAt: time(file['upload-time']), yanked: Boolean(file.yanked),
    }))
    return [...theirs, ...ours]
  }
}

function projectOf(filename: string): string[] {
  const wheel = parseWheelFilename(filename)
  return wheel ? [wheel.project] : []
}

/** Records are kept for ever, those of other versions too: each part may be absent, or another. */
function usedOf(record: Record<string, unknown> | undefined): Resolved['used'] {
  const used = record?.['requirements']
  return Array.isArray(used) ? used.filter((one): one is Resolved['used'][number] => typeof one?.filename === 'string' && typeof one.sha256 === 'string') : []
}

function linesOf(record: Record<string, unknown> | undefined): string[] {
  const { requires } = (record?.['plan'] ?? {}) as { requires?: unknown }
  return Array.isArray(requires) ? requires.filter((line) => typeof line === 'string') : []
}

function time(text: string | null | undefined): number | undefined {
  const parsed = text ? Date.parse(text) : Number.NaN
  return Number.isNaN(parsed) ? undefined : parsed
}
