import { z } from 'zod'
import { iso, type JobViews } from './job-views.ts'
import type { Clock } from './ports.ts'
import { JobView, time } from './views.ts'
import type { WaitingInstall, WaitingInstalls } from './waiting-installs.ts'

export const WaitingView = z.object({
  id: z.string().describe('The same while it waits, through all its requests'),
  tool: z.string().describe('pip, uv, poetry, pdm, browser or other'),
  version: z.string().nullable(),
  address: z.string(),
  filename: z.string().describe('The wheel; while its job is of kind metadata, its METADATA is waited for'),
  began: time,
  seconds: z.number().describe('How long it waits, or waited'),
  ended: z.enum(['built', 'failed', 'cancelled', 'refused', 'still-building', 'left']).nullable().describe('refused: it was told why the wheel does not come for now; still-building: it was told to run again; left: the client went away'),
  endedAt: time.nullable(),
  job: JobView,
}).meta({ id: 'WaitingInstall' })
export type WaitingView = z.infer<typeof WaitingView>

export const WaitingList = z.object({
  waiting: z.array(WaitingView).describe('Those that wait, the longest first, then those that ended within the last minute; 200 of each at most'),
  more: z.number().int().describe('That wait beyond these 200'),
  others: z.number().int().describe('That wait, but were asked for from other addresses, and are not listed'),
}).meta({ id: 'Waiting' })
export type WaitingList = z.infer<typeof WaitingList>

export interface WaitingViews {
  /** `address`: only those that asked from there. `projects`: normalized names. */
  list(filter: { address?: string | undefined; projects?: string[] | undefined }): Promise<WaitingList>
}

/** Of those that wait, and of those that ended: however many wait, endings are told. */
const MOST = 200

/** The installs that wait at this process, as people and programs are shown them. */
export function createWaitingViews({ installs, jobViews, clock }: { installs: WaitingInstalls; jobViews: JobViews; clock: Clock }): WaitingViews {
  return {
    async list({ address, projects }) {
      const wanted = installs.list().filter(({ project }) => projects === undefined || projects.includes(project))
      const own = wanted.filter((install) => address === undefined || install.address === address)
      const [going, over] = [own.filter(({ ended }) => ended === undefined), own.filter(({ ended }) => ended !== undefined)]
      const shown = [...going.slice(0, MOST), ...over.slice(-MOST)]
      const jobs = new Map((await jobViews.some([...new Set(shown.map(({ job }) => job))])).map((job) => [job.id, job]))
      return {
        waiting: shown.flatMap((install) => jobs.has(install.job) ? viewOf(install, jobs.get(install.job)!, clock.now()) : []),
        more: Math.max(0, going.length - MOST),
        others: wanted.filter(({ ended }) => ended === undefined).length - going.length,
      }
    },
  }
}

function viewOf({ id, tool, version, address, filename, began, ended }: WaitingInstall, job: JobView, now: number): WaitingView {
  return {
    id, tool, version: version ?? null, address, filename, began: iso(began), seconds: Math.max(0, (ended?.at ?? now) - began) / 1000,
    ended: ended?.how ?? null, endedAt: ended ? iso(ended.at) : null, job,
  }
}
