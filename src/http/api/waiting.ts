import { z } from 'zod'
import { isValidName, normalizeName } from '../../domain/names.ts'
import { WaitingList } from '../../services/waiting-views.ts'
import { isThisMachine } from '../asker.ts'
import type { ApiDeps } from './deps.ts'
import { route, type ApiRoute } from './route.ts'

const WaitingQuery = z.strictObject({
  own: z.enum(['true', 'false']).optional().describe('true: only those that asked from the address which this request comes from; all, where it comes from the server\'s own machine'),
  project: z.string().max(2000).optional().describe('Only those that wait for these projects, separated by commas'),
})

/** The installs that wait now: as open as the jobs that they wait for. */
export function waitingRoutes({ waitingViews, asker }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/waiting', summary: 'Installs that wait at this process for a wheel, and those that ended within the last minute', query: WaitingQuery,
      answer: { status: 200, schema: WaitingList },
      handle(ctx, { query: { own, project } }) {
        const who = asker(ctx)
        // The containers of this machine have addresses of their own, and what they install is its user's all the same.
        const address = own === 'true' && !isThisMachine(who, ctx) ? who.address : undefined
        return waitingViews.list({ address, projects: project?.split(',').map((name) => isValidName(name) ? normalizeName(name) : name) })
      },
    }),
  ]
}
