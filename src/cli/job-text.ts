/** Jobs in the words of the command line. */
import type { BuildView, JobView } from '../services/views.ts'
import type { Api } from './api.ts'
import { distance, duration, size, table } from './format.ts'
import { type Paint, paintState } from './styles.ts'

type Link = Api['link']

/** `lxml 5.3.0 for cp313-musllinux_1_2_x86_64`. */
export function jobName({ kind, project, version, target }: JobView): string {
  return `${kind === 'metadata' ? 'the metadata of ' : ''}${project} ${version} for ${target}`
}

/** How a job ended, and what can be done about it. */
export function outcome(job: JobView, link: Link, paint: Paint): string[] {
  const took = job.seconds === null ? '' : ` in ${duration(job.seconds)}`
  if (job.state === 'built') {
    const wheel = job.wheel
    if (!wheel) return [`${paint('good', 'built')}  ${jobName(job)}${took}${job.kind === 'trial' ? ': its wheel works, and was not published' : ''}`]
    return [
      `${paint('good', 'built')}  ${wheel.filename} (${size(wheel.size)})${took}${wheel.tried ? '' : ', not tried on musl'}`,
      `       ${link(wheel.url)}`,
    ]
  }
  return [
    `${paint('bad', job.state)}  ${jobName(job)}${took}${job.failure ? `: ${job.failure.cause}` : ''}`,
    ...job.failure ? [`  remedy  ${job.failure.remedy}`] : [],
    ...job.build === null ? [] : [`  log     ${link(`b/${job.build}`)}`],
    `  again   muslin retry ${job.id} --follow`,
  ]
}

/** The queue as a table, newest first as it came. */
export function jobTable(jobs: JobView[], now: number, paint: Paint): string[] {
  if (jobs.length === 0) return ['no jobs']
  const head = ['job', 'state', 'project', 'version', 'target', 'took', 'asked'].map((title) => paint('dim', title))
  const rows = jobs.map((job) => [
    String(job.id),
    paintState(paint, job.state) + (job.state === 'running' && job.step !== null ? ` (${job.step})` : job.waitsFor.length > 0 ? ' (waits)' : ''),
    job.project, job.version, `${job.target}${job.kind === 'build' ? '' : ` (${job.kind})`}`,
    job.seconds === null ? '' : duration(job.seconds),
    `${distance(Date.parse(job.createdAt), now)} by ${job.askedBy}${job.failure ? `; ${job.failure.cause}` : ''}`,
  ])
  return table([head, ...rows], { right: [0, 5] })
}

/** All about one job; `build` is its newest run. */
export function jobDetails(job: JobView, build: BuildView | undefined, { link, now, paint }: { link: Link; now: number; paint: Paint }): string[] {
  const facts: [string, string | undefined][] = [
    [`job ${job.id}`, paintState(paint, job.state) + waiting(job)],
    ['waits', waitsFor(job)],
    ['project', `${job.project} ${job.version}`],
    ['target', job.target],
    ['kind', job.kind === 'build' ? undefined : job.kind],
    ['sdist', job.sdist.filename],
    ['asked', `${distance(Date.parse(job.createdAt), now)} by ${job.askedBy} (${job.priority})`],
    ['runs', job.attempts > 1 ? String(job.attempts) : undefined],
    ['took', job.seconds === null ? undefined : duration(job.seconds)],
    ['wheel', job.wheel ? `${job.wheel.filename} (${size(job.wheel.size)}, ${job.wheel.tried ? 'tried on musl' : 'not tried on musl'})` : undefined],
    ['', job.wheel ? link(job.wheel.url) : undefined],
    ['cause', job.failure ? paint('bad', job.failure.cause) : undefined],
    ['of', job.failure && job.failure.job !== null ? `job ${job.failure.job}` : undefined],
    ['remedy', job.failure?.remedy],
    ['again', job.retryAt === null ? undefined : `by itself at ${job.retryAt}`],
    ['log', job.build === null ? undefined : link(`b/${job.build}`)],
    ['page', link(`ui/jobs/${job.id}`)],
  ]
  const lines = table(facts.flatMap(([name, value]) => value === undefined ? [] : [[paint('dim', name), value]]))
  return build && build.steps.length > 0 ? [...lines, '', ...stepTable(build, paint)] : lines
}

function stepTable({ steps }: BuildView, paint: Paint): string[] {
  const head = ['step', 'state', 'took', 'memory'].map((title) => paint('dim', title))
  return table([head, ...steps.map(({ step, state, seconds, peakBytes }) => [
    step, paintState(paint, state), seconds === null ? '' : duration(seconds), peakBytes === null ? '' : size(peakBytes),
  ])], { right: [2, 3] })
}

function waiting({ state, ahead, estimateSeconds, startsInSeconds, step, waitsFor, paused }: JobView): string {
  if (paused !== null) return `, ${paused}`
  if (state === 'running') return `${step === null ? '' : ` (${step})`}${about(estimateSeconds)}`
  return state === 'queued' && ahead !== null && waitsFor.length === 0 ? `, ${ahead === 0 ? 'next' : `${ahead} before it`}${startsInSeconds === null ? '' : `, begins ${soon(startsInSeconds)}`}${about(estimateSeconds)}` : ''
}

/** `for numpy 2.3.5 (job 12)`. */
function waitsFor({ waitsFor }: JobView): string | undefined {
  return waitsFor.length === 0 ? undefined : `for ${waitsFor.map(({ project, version, job }) => `${project} ${version} (job ${job})`).join(', ')}`
}

/** `in about 2 min`. */
export function soon(seconds: number): string {
  return seconds < 1 ? 'now' : `in about ${duration(seconds)}`
}

function about(seconds: number | null): string {
  return seconds === null ? '' : `; a run takes about ${duration(seconds)}`
}
