import { createApks } from '../builder/apk/install.ts'
import { createBuilder } from '../builder/builder.ts'
import { createBuilderRouter } from '../builder/router.ts'
import { createForget } from '../services/forget.ts'
import { createJobRunner } from '../services/job-run.ts'
import { createFindNeeds } from '../services/needs.ts'
import { createWorker, isAlive, workerId } from '../services/worker.ts'
import type { Chosen } from './builders.ts'
import { GRACE_MS, type Parts } from './parts.ts'
import { createWorkshops, type Workshop } from './workshops.ts'

/** The worker part of a server, at work; returns how to stop it within the grace. */
export async function startWorker(parts: Parts, chosen: Exclude<Chosen, { kind: 'none' }>): Promise<() => Promise<void>> {
  const { settings, ports, files, apks, upstreamPages, recipes, scratch, log, clock } = parts
  const { store, blobs, logs } = ports
  const id = workerId()
  const [workshop, ...others] = createWorkshops(chosen, parts, {
    process: id,
    // Who runs a job counts too: a worker whose engine does not answer is not heard of, and its runs must not be swept by others.
    live: async () => {
      const running = (await store.jobs.list({ state: 'running' })).flatMap((job) => job.worker ?? [])
      return [id, ...[...await store.workers.live(clock.now() - 60_000), ...running].filter((other) => isAlive(other, id))]
    },
  })
  const builderIn = ({ engine, images, indexUrl }: Workshop) => createBuilder({ engine, images, indexUrl, clock, log, apks: createApks({ engine, branches: apks }) })
  const own = builderIn(workshop)
  const builder = others.length === 0 ? own
    : createBuilderRouter({ own: { cpu: workshop.cpu, builder: own }, others: new Map(others.map((other) => [other.cpu, builderIn(other)])), log })
  const run = createJobRunner({
    store, blobs, logs, builder, branches: apks, recipes, findNeeds: createFindNeeds({ upstreamPages, recipes }), sdist: files.blob, scratch, limits: settings.limits,
    clock, log,
  })
  const worker = createWorker({
    id, slots: settings.workers, memory: { budget: settings.workerMemory, limit: settings.limits.memory }, jobs: store.jobs, workers: store.workers, builder, run,
    forget: createForget({ store, upstreamPages, clock }), clock, log,
  })
  await recipes.catchUp()
  await worker.start()
  return () => worker.stop(GRACE_MS)
}
