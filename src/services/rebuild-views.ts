/** What is built anew, as people and programs are shown it. */
import { z } from 'zod'
import { JobView, time } from './views.ts'

export const OutdatedLine = z.object({
  project: z.string(), version: z.string(), target: z.string(),
  filename: z.string().describe('The wheel'),
  library: z.string().describe('The file in it that came from the apk'),
  apk: z.string(), has: z.string().describe('The version of the apk that is in the wheel'), newest: z.string().describe('The one in the branch'),
  job: z.number().int().nullable().describe('Its rebuild, where one was ordered'),
  state: JobView.shape.state.nullable().describe('Of that rebuild'),
}).meta({ id: 'OutdatedLine' })
export type OutdatedLine = z.infer<typeof OutdatedLine>

export const Outdated = z.object({
  outdated: z.array(OutdatedLine).describe('One line a library, newest wheels first'),
  unreachable: z.array(z.object({
    repository: z.string(), arch: z.string().describe('The CPU, by its name in Alpine'), why: z.string(),
    since: time.nullable().describe('Of when the index is that was compared with instead; null: there is none'),
  })).describe('Repositories that could not be asked for an hour: more wheels may be outdated than are listed'),
}).meta({ id: 'Outdated' })
export type Outdated = z.infer<typeof Outdated>

export const OutdatedOrder = z.strictObject({
  filenames: z.array(z.string().max(255)).max(10_000).optional().describe('Of the outdated wheels only these; default: all'),
}).meta({ id: 'OutdatedOrder' })
export type OutdatedOrder = z.infer<typeof OutdatedOrder>

export const OutdatedRebuilt = z.object({
  jobs: z.array(JobView),
  left: z.array(z.object({ filename: z.string(), why: z.string() })).describe('Wheels that cannot be built anew now'),
}).meta({ id: 'OutdatedRebuilt' })
export type OutdatedRebuilt = z.infer<typeof OutdatedRebuilt>

export const LikeOrder = z.strictObject({
  target: z.string().max(100).describe('What is built for'),
  like: z.string().max(100).describe('The target whose releases are taken: all that were published for it here, or sent to its clients'),
}).meta({ id: 'LikeOrder' })
export type LikeOrder = z.infer<typeof LikeOrder>
