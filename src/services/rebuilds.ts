import { PRIORITY } from '../domain/job.ts'
import { parseTarget } from '../domain/target.ts'
import { versionKey } from '../domain/version.ts'
import { MuslinError } from '../errors.ts'
import { MOST_PLAN_LINES } from './bounds.ts'
import type { Planner } from './planner.ts'
import type { Store } from './ports.ts'
import type { Prebuilds } from './prebuilds.ts'
import type { LikeOrder } from './rebuild-views.ts'
import type { Plan, PlanRequest, Prebuild } from './views.ts'

interface Release { project: string; version: string }

export interface Rebuilds {
  /** What would become of each release that is used on `like`, on `target`. Throws what planning does, and `bad-request` where nothing is. */
  plan(order: LikeOrder): Promise<Plan>
  /** Queues what that plan would build, as the last of all; a prebuild from then on. Throws `no-builder` besides. */
  start(order: LikeOrder, askedBy: string): Promise<Prebuild>
}

/** A new Python: what an older one uses is built for it before anybody asks, the most wanted first. */
export function createRebuilds({ store, planner, prebuilds }: { store: Store; planner: Pick<Planner, 'plan'>; prebuilds: Pick<Prebuilds, 'create'> }): Rebuilds {
  return {
    async plan(order) {
      const { request, native } = await requestFor(order)
      return planner.plan(request, { native })
    },
    async start(order, askedBy) {
      const { request, native } = await requestFor(order)
      return prebuilds.create(request, askedBy, { native, priority: PRIORITY.rebuild })
    },
  }

  /** A list of pins, as if somebody had written down what the older target uses. What was built for that one is wanted natively for the new one too. */
  async function requestFor({ target, like }: LikeOrder): Promise<{ request: PlanRequest; native: (release: Release) => boolean }> {
    if (!parseTarget(like)) throw new MuslinError('unknown-target', `${like.slice(0, 60)} is no target's name; one is cp313-musllinux_1_2_x86_64`)
    if (target === like) throw new MuslinError('bad-request', `${like} is to be like itself; name another target`)
    const releases = new Map<string, string>()
    const built = await store.wheels.releases(like)
    for (const release of [...await store.downloads.demand(like), ...built]) {
      const key = keyOf(release)
      if (!releases.has(key)) releases.set(key, `${release.project}==${release.version}`)
    }
    if (releases.size === 0) throw new MuslinError('bad-request', `nothing was built for ${like} here, nor sent to its clients; there is nothing to do like that`)
    // What is left out of so many is what hardly anybody asked for.
    const text = [...releases.values()].slice(0, MOST_PLAN_LINES).join('\n')
    const ours = new Set(built.map(keyOf))
    return { request: { files: [{ name: `what ${like} uses`, text: `${text}\n` }], targets: [target] }, native: (release) => ours.has(keyOf(release)) }
  }
}

function keyOf({ project, version }: Release): string {
  return `${project} ${versionKey(version)}`
}
