import { Overview, TargetList } from '../../services/views.ts'
import type { ApiDeps } from './deps.ts'
import { changedEvents, sendEvents } from './event-stream.ts'
import { route, type ApiRoute } from './route.ts'

/** The server as a whole. */
export function serverRoutes({ overview, jobs, installs, clock, closing }: ApiDeps): ApiRoute[] {
  return [
    route({
      method: 'get', path: '/stats', summary: 'What was served, built and saved, and what is under way', answer: { status: 200, schema: Overview },
      handle: () => overview.overview(),
    }),
    route({
      method: 'get', path: '/targets', summary: 'Targets, and whether they can be built for now', answer: { status: 200, schema: TargetList },
      handle: async () => ({ targets: await overview.targets() }),
    }),
    route({
      method: 'get', path: '/events', summary: 'Says when to look again',
      answer: { status: 200, types: { 'text/event-stream': '"changed" whenever a job or what waits for one may have changed, at most twice a second' } },
      errors: ['too-many-streams'],
      handle: async (ctx) => sendEvents(ctx, closing, (signal) => changedEvents({ watched: [jobs, installs], clock, signal })),
    }),
  ]
}
