import { ADMIN } from '../../domain/job.ts'
import { LikeOrder, Outdated, OutdatedOrder, OutdatedRebuilt } from '../../services/rebuild-views.ts'
import { Plan, Prebuild } from '../../services/views.ts'
import type { ApiDeps } from './deps.ts'
import { route, type ApiRoute } from './route.ts'

/** What is built anew: for newer libraries, and for another target. */
export function rebuildRoutes({ outdated, rebuilds }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/outdated', summary: 'Wheels whose bundled libraries have newer apks in the branch that they came from', answer: { status: 200, schema: Outdated },
      handle: () => outdated.list(),
    }),
    route({
      method: 'post', path: '/outdated/rebuild', admin: true, summary: 'Build them anew, under the next build number; the older ones stay, yanked', body: OutdatedOrder,
      answer: { status: 201, schema: OutdatedRebuilt },
      handle: (_ctx, { body }) => outdated.rebuild(body, ADMIN),
    }),
    route({
      method: 'post', path: '/rebuilds/plan', admin: true, summary: 'What becomes of each release that one target uses on another; builds nothing', body: LikeOrder,
      answer: { status: 200, schema: Plan }, errors: ['unknown-target'],
      handle: (_ctx, { body }) => rebuilds.plan(body),
    }),
    route({
      method: 'post', path: '/rebuilds', admin: true, summary: 'Build for a target what another one uses, the most wanted first, as a prebuild', body: LikeOrder,
      answer: { status: 201, schema: Prebuild }, errors: ['unknown-target', 'no-builder'],
      handle: (_ctx, { body }) => rebuilds.start(body, ADMIN),
    }),
  ]
}
