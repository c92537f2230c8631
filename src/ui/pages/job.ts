import type Router from '@koa/router'
import type { Context } from 'koa'
import { ADMIN } from '../../domain/job.ts'
import { MuslinError } from '../../errors.ts'
import { MoreApks } from '../../services/recipe-views.ts'
import type { BuildView, JobView } from '../../services/views.ts'
import { nextPath, requireForm, requireSession, seeOther } from '../guard.ts'
import { assetUrl } from '../assets.ts'
import { html } from '../html.ts'
import { addApks } from '../jobs/add-apks.ts'
import { jobFacts, recordView, runTable } from '../jobs/facts.ts'
import { actions, heading, situation } from '../jobs/situation.ts'
import { stepList } from '../jobs/steps.ts'
import { rootOf } from '../layout.ts'
import { waitingLine } from '../jobs/waiting-line.ts'
import { logView } from '../log/lines.ts'
import { logEvents } from '../log/stream.ts'
import { HEAD_LINES, parsePosition, readWindow, START } from '../log/window.ts'
import { readForm } from '../read-form.ts'
import { frameOf, type PageDeps } from '../show.ts'

const RUNS_SHOWN = 20

/** /ui/jobs/{id} and /ui/builds/{id}: a job, with its newest run or the named one, and that run's log, live. */
export function jobRoutes(router: Router, deps: PageDeps): void {
  const { jobViews, jobs, logs, orders, clock } = deps

  router.get('/ui/jobs/:id', async (ctx) => {
    const job = await jobViews.get(idOf(ctx, 'job'))
    // What is queued again has run before, but is nothing of that now.
    const run = job.build === null || job.state === 'queued' ? undefined : await jobViews.build(job.build)
    await showJob(ctx, job, run)
  })

  router.get('/ui/builds/:id', async (ctx) => {
    const run = await jobViews.build(idOf(ctx, 'build'))
    await showJob(ctx, await jobViews.get(run.job), run)
  })

  router.get('/ui/builds/:id/log', async (ctx) => {
    const build = (await jobViews.build(idOf(ctx, 'build'))).id
    // A browser that comes back says itself how far it was.
    const from = parsePosition(ctx.get('Last-Event-ID') || String(ctx.query['from'] ?? '')) ?? START
    ctx.status = 200
    ctx.set('Content-Type', 'text/event-stream; charset=utf-8')
    ctx.set('Cache-Control', 'no-store')
    // nginx would collect it.
    ctx.set('X-Accel-Buffering', 'no')
    const finished = async (): Promise<boolean> => (await jobs.build(build))?.finishedAt !== undefined
    ctx.body = logEvents({ logs, build, from, finished, clock, closing: deps.closing })
  })

  for (const verb of ['retry', 'cancel'] as const) {
    router.post(`/ui/jobs/:id/${verb}`, async (ctx) => {
      requireSession(ctx)
      const form = await readForm(ctx.req)
      requireForm(ctx, form.value('csrf'))
      const job = await orders[verb](idOf(ctx, 'job'))
      seeOther(ctx, rootOf(ctx), nextPath(form.value('next'), `ui/jobs/${job.id}`))
    })
  }

  router.post('/ui/jobs/:id/add-apks', async (ctx) => {
    requireSession(ctx)
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    const words = (form.value('apks') ?? '').split(/[\s,]+/).filter((word) => word !== '')
    const { data } = MoreApks.safeParse({ apks: words })
    if (!data) throw new MuslinError('bad-request', 'the form names no apk, or what is none; names of apks are like libffi-dev: small letters, digits and + . _ : -')
    const job = await orders.addApks(idOf(ctx, 'job'), data.apks, ADMIN)
    seeOther(ctx, rootOf(ctx), `ui/jobs/${job.id}`)
  })

  async function showJob(ctx: Context, job: JobView, run: BuildView | undefined): Promise<void> {
    const root = rootOf(ctx)
    const now = clock.now()
    const runs = await jobs.builds(job.id, RUNS_SHOWN)
    const running = run !== undefined && run.finishedAt === null
    // RFC 7240: the script that keeps a page true asks for what changes, and reads the log by its own way.
    const withLog = run !== undefined && ctx.get('Prefer') !== 'return=minimal'
    const window = withLog ? await readWindow(logs, run.id, START, { head: HEAD_LINES, ended: !running }) : undefined
    deps.show(ctx, {
      title: `${job.project} ${job.version} ${job.state}`,
      nav: 'jobs',
      refreshSeconds: running || job.state === 'queued' ? 5 : undefined,
      body: html`<div id="job" data-live data-state="${job.state}" data-page="${run?.id ?? 'none'}">
<div class="head">${heading(job, run, root)}${actions(job, frameOf(ctx, deps))}</div>
${situation(job, run, { root, server: deps.links.root(ctx), now })}
${waitingLine(deps.installs.list().filter((install) => install.job === job.id), now)}
${(run === undefined || run.id === job.build) && addApks(job, frameOf(ctx, deps))}
${run && html`<section class="section" aria-labelledby="steps-title"><h2 id="steps-title">Steps</h2>${stepList(run.steps, now)}</section>`}
</div>
${withLog && html`<section class="section"><h2 id="log-title">Log</h2>${logView({ window, build: run.id, root, running, failed: run.failure !== null })}</section>
<script type="module" src="${root}${assetUrl('log.js')}"></script>`}
<div id="about" data-live>
<section class="section"><h2>About this job</h2><div class="panel">${jobFacts(job, run, { root, now })}${run?.record && recordView(run.record)}</div></section>
${runs.length > 1 && html`<section class="section"><h2>Its runs</h2>${runTable(runs, job, run?.id, { root, now })}</section>`}
</div>`,
    })
  }
}

function idOf(ctx: Context, what: 'job' | 'build'): number {
  const id = /^\d{1,15}$/.exec(String(ctx.params['id']))?.[0]
  if (id === undefined) throw new MuslinError(`no-such-${what}`, `a ${what} is named by its number; the list of jobs has them`)
  return Number(id)
}
