/** How a job stands: what it is, what became of it, and what can be done. */
import type { BuildView, FailureView, JobView } from '../../services/views.ts'
import { counted, duration, runningTag, sentence, size, timeTag } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { csrfField, loginUrl, type Frame } from '../layout.ts'
import { copyLines } from '../parts.ts'
import { kindName } from './job-table.ts'
import { pipInstall } from '../use-lines.ts'
import { jobBadge, runBadge, runOf } from './run-state.ts'

/** `server`: its root for this visitor; undefined under a name that is not its own, where no line to copy would hold. */
interface Place { root: string; server: string | undefined; now: number }

export function heading(job: JobView, run: BuildView | undefined, root: string): Html {
  const earlier = run !== undefined && run.id !== job.build
  return html`<div>
<p class="eyebrow">Job ${job.id} · ${kindName(job)}${run && html` · run ${run.id}`}</p>
<h1 class="title"><span><a class="calm" href="${root}ui/projects/${encodeURIComponent(job.project)}">${job.project}</a> ${job.version}</span> ${run ? runBadge(runOf(run), job) : jobBadge(job)}</h1>
<p class="mono">${job.target}</p>
${earlier && html`<p id="earlier">This is an earlier run of the job. <a href="${root}ui/jobs/${job.id}">The job as it is now</a></p>`}
</div>`
}

/** What a person who is logged in can do with the job; others are shown the way to the login. */
export function actions(job: JobView, frame: Frame): Html | false {
  const verb = job.state === 'queued' || job.state === 'running' ? 'cancel' : job.state === 'failed' || job.state === 'cancelled' ? 'retry' : undefined
  if (verb === undefined) return false
  const name = verb === 'cancel' ? 'Cancel' : 'Try again'
  if (!frame.auth?.session) return html`<div class="actions"><a class="button quiet" id="to-login" href="${loginUrl(frame)}">Log in to ${name.toLowerCase()}</a></div>`
  return html`<div class="actions"><form method="post" action="${frame.root}ui/jobs/${job.id}/${verb}">${csrfField(frame.auth)}<button id="${verb}"${verb === 'cancel' && html` class="quiet"`}>${name}</button></form></div>`
}

/** The most important about it, on top. */
export function situation(job: JobView, run: BuildView | undefined, place: Place): Content {
  if (run && run.id !== job.build) return run.failure && failurePanel(run.failure, place.root)
  if (job.state === 'queued') return queuedPanel(job, place.root)
  if (job.state === 'running') return runningPanel(job, place.now)
  if (job.failure) return failurePanel(job.failure, place.root, job.retryAt === null ? undefined : html`<p class="small muted">It is tried again by itself ${timeTag(job.retryAt, place.now)}.</p>`)
  return job.wheel && wheelPanel(job, job.wheel, place)
}

function failurePanel(failure: FailureView, root: string, more?: Html): Html {
  const cancelled = failure.class === 'cancelled'
  return html`<section class="panel verdict" id="failure" data-class="${failure.class}"><p class="eyebrow">${cancelled ? 'Cancelled' : html`Why it failed · <code>${failure.class}</code>`}</p>
<p id="cause">${sentence(failure.cause)}</p>
<p id="remedy">${sentence(failure.remedy)}</p>${failure.job !== null && html`<p id="of">It waited for <a href="${root}ui/jobs/${failure.job}">job ${failure.job}</a>.</p>`}${more}</section>`
}

function queuedPanel({ ahead, estimateSeconds, startsInSeconds, waitsFor, paused }: JobView, root: string): Html {
  if (paused !== null) return html`<section class="panel" id="waiting"><p><strong>Queued.</strong> ${sentence(paused)} <a href="${root}ui/">The overview</a> tells more.</p></section>`
  if (waitsFor.length > 0) {
    return html`<section class="panel" id="waiting"><p><strong>Waits for what it needs to build.</strong> It goes on by itself once that is built.</p>
<ul id="waits">${waitsFor.map(({ job, project, version, requirement }) => html`<li><a href="${root}ui/jobs/${job}">${project} ${version}</a> <span class="muted">for <code>${requirement}</code> (job ${job})</span></li>`)}</ul>${startsInSeconds !== null && startsInSeconds >= 1 && html`<p class="small muted">It begins in about ${duration(startsInSeconds)}.</p>`}</section>`
  }
  const place = ahead === null ? 'It waits for a builder.' : ahead === 0 ? 'It is the next one that a free builder takes.' : `${counted(ahead, 'job')} ${ahead === 1 ? 'goes' : 'go'} before it.`
  return html`<section class="panel" id="waiting"><p><strong>Queued.</strong> ${place}${startsInSeconds !== null && startsInSeconds >= 1 && ` It begins in about ${duration(startsInSeconds)}.`}${estimateSeconds !== null && ` Once it begins it takes about ${duration(estimateSeconds)}.`}</p></section>`
}

function runningPanel({ startedAt, estimateSeconds, step }: JobView, now: number): Html {
  const spent = startedAt === null ? 0 : (now - Date.parse(startedAt)) / 1000
  return html`<section class="panel" id="progress-panel"><p><strong>Running${step !== null && `: ${step}`}.</strong> ${startedAt !== null && html`${runningTag(startedAt, now)} so far`}${estimateSeconds !== null && `, of about ${duration(estimateSeconds)}`}.</p>
${estimateSeconds !== null && html`<progress aria-label="Time against the estimate" max="${Math.max(1, Math.round(estimateSeconds))}" value="${Math.round(Math.min(spent, estimateSeconds))}"></progress>`}</section>`
}

function wheelPanel({ project, version }: JobView, wheel: NonNullable<JobView['wheel']>, { root, server }: Place): Html {
  return html`<section class="panel good" id="wheel"><p class="eyebrow">The wheel</p>
<p class="lead"><a class="mono" href="${root}${wheel.url}">${wheel.filename}</a></p>
<p class="small muted">${size(wheel.size)} · ${wheel.tried ? 'installed and imported on a clean musl system' : 'not tried on a musl system'}<span class="digest">sha256:${wheel.sha256}</span></p>
${server !== undefined && copyLines(pipInstall(server, `${project}==${version}`), 'install line')}</section>`
}
