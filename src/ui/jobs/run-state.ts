import type { BuildView, JobView } from '../../services/views.ts'
import { badge } from '../parts.ts'
import type { Html } from '../html.ts'

/** The state of a job in a word, with its step while it runs. */
export function jobBadge({ state, step }: Pick<JobView, 'state' | 'step'>): Html {
  return badge(state, state === 'running' && step !== null ? `running: ${step}` : undefined)
}

/** How one run ended; a run that its worker gave back ended as nothing. */
export function runBadge(run: { id: number; ended: boolean; failure: string | undefined; recorded: boolean }, job: Pick<JobView, 'build' | 'state' | 'step'>): Html {
  const newest = run.id === job.build && job.state !== 'queued'
  if (newest) return jobBadge(job)
  if (run.failure !== undefined) return badge(run.failure === 'cancelled' ? 'cancelled' : 'failed')
  if (!run.ended) return badge('running')
  return run.recorded ? badge('built') : badge('cancelled', 'given back')
}

/** What matters of a run as the API shows it. */
export function runOf({ id, finishedAt, failure, record }: BuildView): Parameters<typeof runBadge>[0] {
  return { id, ended: finishedAt !== null, failure: failure?.class, recorded: record !== null }
}
