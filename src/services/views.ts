/**
 * What people and programs are shown: the answers of the JSON API, which the pages and the command line show too. The schemas are
 * the OpenAPI description's. Times are ISO 8601 in UTC, seconds may have fractions; what is not known is null, never absent.
 */
import { z } from 'zod'
import { STEPS } from '../domain/job.ts'
import { LOCK_KINDS } from '../domain/lock/pin.ts'
import { MOST_PLAN_LINES } from './bounds.ts'

export const time = z.iso.datetime()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const FailureView = z.object({
  class: z.string().describe('Stable code of the failure, such as missing-header'),
  cause: z.string().describe('One line: "needs header ffi.h"'),
  remedy: z.string().describe('One line: what helps'),
  apks: z.array(z.string()).describe('Alpine\'s names for what is missing, best first; empty where none is known'),
  job: z.number().int().nullable().describe('Another job, whose failure this follows from'),
}).meta({ id: 'Failure' })
export type FailureView = z.infer<typeof FailureView>

export const StepView = z.object({
  step: z.enum(STEPS),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  seconds: z.number().nullable(),
  peakBytes: z.number().int().nullable(),
}).meta({ id: 'Step' })
export type StepView = z.infer<typeof StepView>

export const WheelView = z.object({
  filename: z.string(), sha256, size: z.number().int(), url: z.string().describe('Relative to the server\'s root'),
  tried: z.boolean().describe('It was installed and imported on a clean musl system'),
}).meta({ id: 'Wheel' })
export type WheelView = z.infer<typeof WheelView>

export const JobView = z.object({
  id: z.number().int(),
  kind: z.enum(['metadata', 'build', 'trial', 'rebuild']),
  project: z.string(), version: z.string(), target: z.string(),
  sdist: z.object({ filename: z.string(), sha256 }),
  state: z.enum(['queued', 'running', 'built', 'failed', 'cancelled']),
  step: z.enum(STEPS).nullable(),
  priority: z.string().describe('rebuild, background, prebuild, asked or waiting'),
  askedBy: z.string(),
  attempts: z.number().int(),
  recipe: z.string().describe('Digest of the recipe that it is built by; empty where none applies'),
  build: z.number().int().nullable().describe('The newest run; its log is at /b/{build}'),
  createdAt: time, startedAt: time.nullable(), finishedAt: time.nullable(),
  seconds: z.number().nullable().describe('How long the newest run took, or takes by now'),
  estimateSeconds: z.number().nullable().describe('How long a run is expected to take'),
  ahead: z.number().int().nullable().describe('Jobs that go before this one, while it is queued'),
  startsInSeconds: z.number().nullable().describe('When a queued build is expected to begin, by what runs and what goes before it; null where nothing tells, and during a pause'),
  paused: z.string().nullable().describe('Why a queued job is not begun: builds are paused, and the reason'),
  remainingSeconds: z.number().nullable().describe('Until it has ended: its turn, where it is queued, and its run; null where nothing tells'),
  waitsFor: z.array(z.object({ job: z.number().int(), project: z.string(), version: z.string(), requirement: z.string().describe('The line that asks for it') }))
    .describe('Jobs that are built first, since this one cannot be built without'),
  failure: FailureView.nullable(),
  retryAt: time.nullable().describe('When it is queued again by itself'),
  wheel: WheelView.nullable(),
}).meta({ id: 'Job' })
export type JobView = z.infer<typeof JobView>

export const JobList = z.object({ jobs: z.array(JobView) }).meta({ id: 'Jobs' })
export type JobList = z.infer<typeof JobList>

/** What a person orders by hand. */
export const JobOrder = z.strictObject({
  project: z.string().min(1).max(200),
  version: z.string().min(1).max(200).optional().describe('Default: the newest with an sdist; prereleases only where there is nothing else'),
  targets: z.array(z.string()).min(1).max(100).optional().describe('Default: those that can be built for now'),
  publish: z.boolean().optional().describe('False: the wheel is verified and tried, and not kept; default true'),
}).meta({ id: 'JobOrder' })
export type JobOrder = z.infer<typeof JobOrder>

export const BuildView = z.object({
  id: z.number().int(),
  job: z.number().int(),
  worker: z.string(),
  startedAt: time, finishedAt: time.nullable(),
  failure: FailureView.nullable(),
  steps: z.array(StepView),
  record: z.record(z.string(), z.unknown()).nullable(),
}).meta({ id: 'Build' })
export type BuildView = z.infer<typeof BuildView>

export const TargetView = z.object({
  name: z.string(), python: z.string().describe('3.13'), cpu: z.string(),
  ready: z.boolean().describe('A worker can build for it now'),
  image: z.string().nullable().describe('Digest of what builds for it'),
  configured: z.boolean(),
}).meta({ id: 'Target' })
export type TargetView = z.infer<typeof TargetView>

export const TargetList = z.object({ targets: z.array(TargetView) }).meta({ id: 'Targets' })
export type TargetList = z.infer<typeof TargetList>

/** What becomes of one pinned release on one target. */
export const PlanLine = z.object({
  project: z.string(), version: z.string(), target: z.string(),
  file: z.string().describe('The lock file that names it'),
  line: z.number().int().nullable().describe('Where it stands in that file, from 1'),
  verdict: z.enum(['upstream-wheel', 'built', 'would-build', 'cannot']),
  filename: z.string().nullable().describe('The wheel that a client gets; of one that would be built, its future name'),
  sdist: z.object({ filename: z.string(), sha256 }).nullable().describe('What a client of the plain upstream would fetch where it has no wheel'),
  estimateSeconds: z.number().nullable(),
  why: z.string().nullable().describe('Why it cannot be had; of a wheel that can, why an installer may pass it over'),
  remedy: z.string().nullable(),
  job: z.number().int().nullable().describe('The job for it, where there is one'),
  runtimeApks: z.array(z.string()).describe('Apks that the image of its users must hold besides; of a wheel that is not built yet, those that its recipe names'),
}).meta({ id: 'PlanLine' })
export type PlanLine = z.infer<typeof PlanLine>

export const PlanTotals = z.object({
  upstreamWheel: z.number().int(), built: z.number().int(), wouldBuild: z.number().int(), cannot: z.number().int(),
  estimateSeconds: z.number().describe('All that would be built, by as many builders as there are'),
}).meta({ id: 'PlanTotals' })

export const Plan = z.object({
  targets: z.array(z.string()),
  files: z.array(z.object({ name: z.string(), kind: z.enum(LOCK_KINDS), pins: z.number().int() })),
  lines: z.array(PlanLine),
  totals: PlanTotals,
}).meta({ id: 'Plan' })
export type Plan = z.infer<typeof Plan>

export const LockText = z.strictObject({
  name: z.string().min(1).max(255).describe('Its file name: it tells the format'),
  text: z.string().max(16 << 20),
}).meta({ id: 'LockText' })

export const PlanRequest = z.strictObject({
  files: z.array(LockText).min(1).max(50),
  targets: z.array(z.string()).max(100).optional().describe('Default: those that can be built for now'),
  extras: z.array(z.string()).max(100).optional().describe('Extras of the locked project itself'),
  groups: z.array(z.string()).max(100).optional().describe('Dependency groups; default: those that the lock\'s own tool installs by default'),
}).meta({ id: 'PlanRequest' })
export type PlanRequest = z.infer<typeof PlanRequest>

export const PrebuildRequest = PlanRequest.extend({
  only: z.array(z.strictObject({ project: z.string(), version: z.string(), target: z.string() })).max(MOST_PLAN_LINES).optional().describe('Of what would be built, only these'),
}).meta({ id: 'PrebuildRequest' })
export type PrebuildRequest = z.infer<typeof PrebuildRequest>

export const PrebuildLine = PlanLine.extend({
  state: z.enum(['had', 'cannot', 'left-out', 'queued', 'running', 'built', 'failed', 'cancelled']),
  build: z.number().int().nullable(),
  failure: FailureView.nullable(),
  seconds: z.number().nullable(),
}).meta({ id: 'PrebuildLine' })
export type PrebuildLine = z.infer<typeof PrebuildLine>

export const Prebuild = z.object({
  id: z.number().int(),
  createdAt: time,
  askedBy: z.string(),
  name: z.string().describe('The names of its files'),
  targets: z.array(z.string()),
  done: z.number().int().describe('Builds that ended, whichever way'),
  failed: z.number().int().describe('Builds that failed or were cancelled'),
  total: z.number().int().describe('Builds that it waits for, or waited for'),
  finished: z.boolean(),
  remainingSeconds: z.number().nullable().describe('An estimate; null once it is finished, and during a pause'),
  paused: z.string().nullable().describe('Why no more of it is begun: builds are paused, and the reason'),
  lines: z.array(PrebuildLine),
}).meta({ id: 'Prebuild' })
export type Prebuild = z.infer<typeof Prebuild>

export const PrebuildList = z.object({
  prebuilds: z.array(z.object({ id: z.number().int(), createdAt: time, name: z.string(), askedBy: z.string() })).describe('Newest first'),
}).meta({ id: 'Prebuilds' })
export type PrebuildList = z.infer<typeof PrebuildList>

/** A release on a target, as the cached page and our tables know it. */
export const MatrixCell = z.object({
  verdict: z.enum(['upstream-wheel', 'pure-wheel', 'built', 'queued', 'running', 'failed', 'cancelled', 'could-build', 'no-sdist', 'unsupported-python', 'skipped']),
  filename: z.string().nullable(),
  job: z.number().int().nullable(),
  build: z.number().int().nullable(),
  failure: FailureView.nullable(),
  why: z.string().nullable().describe('Why its recipe has it skipped'),
}).meta({ id: 'MatrixCell' })
export type MatrixCell = z.infer<typeof MatrixCell>

export const ProjectMatrix = z.object({
  project: z.string(),
  fetchedAt: time.nullable().describe('When the page was had from the upstream; null where it never was'),
  targets: z.array(z.string()),
  releases: z.array(z.object({
    version: z.string(),
    yanked: z.boolean(),
    prerelease: z.boolean(),
    uploadedAt: time.nullable(),
    cells: z.record(z.string(), MatrixCell).describe('By target'),
  })).describe('Newest first'),
}).meta({ id: 'Project' })
export type ProjectMatrix = z.infer<typeof ProjectMatrix>

/** Builds that are paused: nothing is claimed, and nothing promised. */
export const PauseState = z.object({
  pause: z.object({ since: time, reason: z.string().nullable().describe('As it is told to those who wait') }).nullable().describe('Null while builds go on'),
}).meta({ id: 'PauseState' })
export type PauseState = z.infer<typeof PauseState>

export const PauseOrder = z.strictObject({
  reason: z.string().max(200).optional().describe('Told to those who wait, in one line; empty: no reason any more'),
}).meta({ id: 'PauseOrder' })

export const Overview = z.object({
  files: z.number().int().describe('Files served to installers'),
  wheelsServed: z.number().int().describe('Of these, wheels that were built here; the same client within an hour counts once'),
  wheelsBuilt: z.number().int(),
  secondsSaved: z.number().describe('Measured seconds of the build times installers\' downloads of its wheel'),
  queued: z.number().int().describe('Builds, trials and rebuilds that wait'), running: z.number().int(), failed: z.number().int().describe('Those whose last run failed'),
  workers: z.number().int().describe('Worker processes heard of within a minute'),
  targets: z.array(TargetView),
  offline: z.boolean().describe('The upstream is never asked'),
  ...PauseState.shape,
}).meta({ id: 'Stats' })
export type Overview = z.infer<typeof Overview>

/** What every error is answered with (RFC 9457). */
export const Problem = z.object({
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe('One line that names the cause and the remedy'),
  code: z.string().describe('Stable; docs/errors.md lists all'),
  link: z.string().optional().describe('Where to read more'),
}).meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>
