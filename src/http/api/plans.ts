import { z } from 'zod'
import { ADMIN } from '../../domain/job.ts'
import { LockHashes } from '../../services/lock-views.ts'
import { Plan, PlanRequest, Prebuild, PrebuildList, PrebuildRequest, ProjectMatrix } from '../../services/views.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ApiDeps } from './deps.ts'
import { number, NumberInPath, route, type ApiRoute } from './route.ts'

// An upstream that fails is told by the lines that need it.
const PLANNING: ErrorCode[] = ['bad-lock', 'unknown-target']

/** What there is, what would be built, and having it built. */
export function planRoutes({ matrix, planFor, lockFor, prebuilds }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/projects/{project}', summary: 'Releases by target, from the kept page alone: nothing is asked of the upstream',
      params: z.strictObject({ project: z.string() }), answer: { status: 200, schema: ProjectMatrix }, errors: ['bad-name', 'no-such-project'],
      handle: (_ctx, { params }) => matrix.project(params.project),
    }),
    route({
      method: 'post', path: '/plan', summary: 'What becomes of each pin of lock files on each target; builds nothing', body: PlanRequest,
      answer: { status: 200, schema: Plan }, errors: [...PLANNING, 'busy'],
      handle: (ctx, { body }) => planFor(ctx, body, (plan) => plan),
    }),
    route({
      method: 'post', path: '/lock-hashes', summary: 'Lock files with the hashes of our wheels, so that installers which check them need not compile; builds nothing', body: PlanRequest,
      answer: { status: 200, schema: LockHashes }, errors: [...PLANNING, 'busy', 'strange-host'],
      handle: (ctx, { body }) => lockFor(ctx, body),
    }),
    route({
      method: 'post', path: '/prebuilds', admin: true, summary: 'Plan, and build what is missing', body: PrebuildRequest,
      answer: { status: 201, schema: Prebuild }, errors: [...PLANNING, 'no-builder'],
      handle: (_ctx, { body }) => prebuilds.create(body, ADMIN),
    }),
    route({
      method: 'get', path: '/prebuilds', summary: 'Prebuilds, newest first', query: z.strictObject({ limit: number('a limit is written in digits alone', 1000).optional().describe('Default 100') }),
      answer: { status: 200, schema: PrebuildList },
      handle: async (_ctx, { query }) => ({ prebuilds: await prebuilds.list(query.limit ?? 100) }),
    }),
    route({
      method: 'get', path: '/prebuilds/{id}', summary: 'A prebuild as it stands now', params: NumberInPath,
      answer: { status: 200, schema: Prebuild }, errors: ['no-such-prebuild'],
      handle: (_ctx, { params }) => prebuilds.get(params.id),
    }),
  ]
}
