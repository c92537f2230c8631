import type Router from '@koa/router'
import type { JobView, Overview } from '../../services/views.ts'
import { count, counted, duration } from '../format.ts'
import { html, type Html } from '../html.ts'
import { jobTable } from '../jobs/job-table.ts'
import { rootOf } from '../layout.ts'
import { badge, copyLines, nothing } from '../parts.ts'
import { frameOf, type PageDeps } from '../show.ts'
import { pipInstall } from '../use-lines.ts'
import { pauseForm, pauseNotice } from './pause.ts'

const QUEUE_SHOWN = 10
const FAILURES_SHOWN = 5

/** /ui/: what is served, built and saved, what is under way and what failed. */
export function overviewRoutes(router: Router, { overview, jobViews, links, clock, show, version }: PageDeps): void {
  router.get('/ui/', async (ctx) => {
    const figures = await overview.overview()
    const running = await jobViews.jobs({ state: 'running', limit: QUEUE_SHOWN, order: 'next' })
    const queued = await jobViews.jobs({ state: 'queued', limit: QUEUE_SHOWN, order: 'next' })
    const failures = await jobViews.jobs({ state: 'failed', limit: FAILURES_SHOWN, order: 'ended' })
    const [newest] = await jobViews.jobs({ limit: 1 })
    const now = clock.now()
    const root = rootOf(ctx)
    const frame = frameOf(ctx, { version })
    const unused = figures.files === 0 && newest === undefined
    show(ctx, {
      title: 'Overview',
      nav: 'overview',
      refreshSeconds: running.length + queued.length > 0 ? 10 : undefined,
      body: html`<div class="head"><div><h1>Overview</h1>
<p>Wheels for Alpine Linux: passed on from the upstream, or compiled here.</p></div></div>
<div id="live" data-live>
${pauseNotice(figures, frame, now)}
${offlineNotice(figures)}
${builderNotice(figures)}
${unused ? firstSteps(links.root(ctx), root) : html`${figureList(figures)}
<section class="section"><div class="head"><h2>Queue</h2><p class="small"><a href="${root}ui/jobs">All jobs</a></p></div>
${queue([...running, ...queued], root, now)}
${pauseForm(figures, frame)}</section>
<section class="section"><div class="head"><h2>Recent failures</h2>${figures.failed > 0 && html`<p class="small"><a href="${root}ui/jobs?state=failed">All that failed</a></p>`}</div>
${failures.length > 0 ? jobTable({ id: 'failures', caption: 'Recent failures', jobs: failures, root, now, shows: 'failures' }) : nothing('Nothing has failed.')}</section>`}
<section class="section"><h2>Targets</h2>${targetList(figures, root)}</section>
</div>`,
    })
  })
}

function offlineNotice({ offline }: Overview): Html | false {
  return offline && html`<div class="notice" id="offline"><strong>This server is offline.</strong> It asks nothing of the upstream: what was seen before is served, and what was not is refused. The setting <code>offline</code> says so.</div>`
}

/** No wheel is promised while nobody could build it: that looks like a defect to whoever does not know. */
function builderNotice({ targets, workers }: Overview): Html | false {
  if (targets.some(({ ready }) => ready)) return false
  return html`<div class="notice" id="no-builder"><strong>No builder is ready.</strong> ${workers > 0 ? 'A worker runs, but it can build for none of the targets yet.' : 'No worker was heard of.'}
The upstream is passed on, and nothing is compiled. What the server printed at its start says why; <code>muslin doctor</code> says what helps.</div>`
}

function firstSteps(server: string | undefined, root: string): Html {
  return html`<section class="panel" id="first-steps"><h2>Nothing has been asked of this server yet</h2>
<ol class="numbered">
<li><strong>Install through it.</strong> On Alpine, any project with an sdist ends in a wheel${server === undefined ? '.' : html`:
${copyLines(pipInstall(server, 'PyYAML'), 'install line')}`}</li>
<li><strong>Or prebuild a lock file.</strong> <a href="${root}ui/prebuild">Paste a requirements file</a> and see which wheels are missing before anybody waits for them.</li>
<li><strong>Then tell the others.</strong> <a href="${root}ui/use">Use it</a> has the lines for pip, uv, a Dockerfile and compose.</li>
</ol></section>`
}

function figureList(figures: Overview): Html {
  return html`<ul class="figures" id="figures">
${figure('Time saved', duration(figures.secondsSaved), html`<details id="saved-means"><summary>How it is counted</summary>For each wheel built here: the seconds that its build took, times the downloads by installers. The same client counts once within an hour; our own builds do not count.</details>`, 'accent')}
${figure('Files served', count(figures.files), `${count(figures.wheelsServed)} of them wheels built here`)}
${figure('Wheels built', count(figures.wheelsBuilt), 'verified before they were published')}
${figure('Under way', count(figures.running), `${count(figures.queued)} more queued`)}
</ul>`
}

function figure(label: string, value: string, note: Html | string, className = ''): Html {
  return html`<li class="figure ${className}"><div class="label">${label}</div><div class="value">${value}</div><div class="note">${note}</div></li>`
}

function queue(jobs: JobView[], root: string, now: number): Html {
  if (jobs.length === 0) return nothing('Nothing is queued or running.')
  return jobTable({ id: 'queue', caption: 'Running and queued jobs', jobs, root, now, shows: 'queue' })
}

function targetList({ targets, workers }: Overview, root: string): Html {
  if (targets.length === 0) return nothing('No target is configured.')
  return html`<ul class="chips">${targets.map(({ name, ready }) => html`<li><span class="mono">${name}</span> ${badge(ready ? 'ready' : 'not-ready')}</li>`)}</ul>
<p class="small muted">${counted(workers, 'worker')} heard of within the last minute · <a href="${root}ui/targets">More about the targets</a></p>`
}
