import type { Context } from 'koa'
import { MuslinError } from '../errors.ts'
import type { Asker } from '../services/admission.ts'
import type { Planner } from '../services/planner.ts'
import type { Auth } from '../services/sessions.ts'
import type { Plan, PlanRequest } from '../services/views.ts'
import { leaving } from './leaving.ts'

/** Plans for whoever asks, and makes of the plan what is wanted: that is part of the asker's turn. Throws what both do, and `busy`. */
export type PlanFor = <T>(ctx: Context, request: PlanRequest, use: (plan: Plan) => Promise<T> | T) => Promise<T>

/** No lock file of a single project has more; each of them may cost a question to the upstream. */
const OPEN_TO_ALL = { releases: 2_000, bytes: 2_000_000 }

/** A plan ends when its asker leaves. Who comes without the admin's token or a session plans one at a time, and not without bounds. */
export function createPlanFor({ planner, asker }: { planner: Planner; asker: (ctx: Context) => Asker }): PlanFor {
  const busy = new Set<string>()
  return async (ctx, request, use) => {
    const signal = leaving(ctx)
    const { admin, session } = ctx.state['auth'] as Auth
    if (admin || session) return use(await planner.plan(request, { signal }))
    const { address } = asker(ctx)
    if (busy.has(address)) throw new MuslinError('busy', `a plan for ${address} is being made already; wait for it, or send the admin's token`)
    busy.add(address)
    try {
      return await use(await planner.plan(request, { signal, most: OPEN_TO_ALL }))
    } finally {
      busy.delete(address)
    }
  }
}
