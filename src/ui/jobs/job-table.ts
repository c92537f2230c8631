import type { JobView } from '../../services/views.ts'
import { counted, duration, runningTag, timeTag } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { table } from '../parts.ts'
import { jobBadge } from './run-state.ts'

/** Jobs, one a row: as the queue, as failures, or as the whole history. */
export function jobTable({ id, caption, jobs, root, now, shows }: {
  id: string
  caption: string
  jobs: JobView[]
  root: string
  now: number
  shows: 'queue' | 'failures' | 'all'
}): Html {
  const columns = { queue: ['Job', 'Target', 'State', 'Time', 'Asked by'], failures: ['Job', 'Target', 'Why', 'When'], all: ['Job', 'Target', 'State', 'Time', 'When'] }[shows]
  const rows = jobs.map((job) => {
    const cells: Content[] = {
      queue: () => [jobLink(job, root), target(job), jobBadge(job), time(job, now), job.askedBy],
      failures: () => [jobLink(job, root), target(job), why(job), when(job, now)],
      all: () => [jobLink(job, root), target(job), html`<div>${jobBadge(job)}</div>${why(job)}`, time(job, now), when(job, now)],
    }[shows]()
    return { cells, attributes: { 'id': `${id}-${job.id}`, 'data-state': job.state } }
  })
  return table({ id, caption, columns, rows })
}

/** What a job's time is: how long it runs or took, or how many go before it. */
function time(job: JobView, now: number): Content {
  if (job.state === 'running' && job.startedAt !== null) return html`${runningTag(job.startedAt, now)}${job.estimateSeconds !== null && html` <span class="muted">of about ${duration(job.estimateSeconds)}</span>`}`
  if (job.waitsFor.length > 0) return html`<span class="muted">waits for ${job.waitsFor.map(({ project }) => project).join(', ')}</span>`
  if (job.paused !== null) return 'builds are paused'
  if (job.state === 'queued') return job.ahead !== null && html`<span class="num">${job.ahead === 0 ? 'next' : `${counted(job.ahead, 'job')} before it`}${job.startsInSeconds !== null && job.startsInSeconds >= 1 && `, in about ${duration(job.startsInSeconds)}`}</span>`
  return job.seconds !== null && html`<span class="num">${duration(job.seconds)}</span>`
}

/** Metadata steps and trials are told from builds, which are the rule. */
export function kindName(job: Pick<JobView, 'kind'>): string {
  return { build: 'build', metadata: 'metadata step', trial: 'trial', rebuild: 'rebuild' }[job.kind]
}

function jobLink(job: JobView, root: string): Html {
  return html`<span><a href="${root}ui/jobs/${job.id}"><strong>${job.project}</strong> ${job.version}</a>${job.kind !== 'build' && html` <span class="muted small">${kindName(job)}</span>`}</span>`
}

function target(job: JobView): Html {
  return html`<span class="mono target">${job.target}</span>`
}

function why(job: JobView): Content {
  return job.failure && job.state !== 'cancelled' && html`<span class="cause">${job.failure.cause}</span>`
}

function when(job: JobView, now: number): Html {
  return timeTag(job.finishedAt ?? job.createdAt, now)
}
