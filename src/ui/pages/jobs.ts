import type Router from '@koa/router'
import type { Context } from 'koa'
import type { JobState } from '../../domain/job.ts'
import { isValidName, normalizeName } from '../../domain/names.ts'
import { html, type Html } from '../html.ts'
import { jobTable } from '../jobs/job-table.ts'
import { rootOf } from '../layout.ts'
import { nothing } from '../parts.ts'
import type { PageDeps } from '../show.ts'

const PAGE = 50
const STATES: readonly JobState[] = ['running', 'queued', 'failed', 'built', 'cancelled']

interface Filter { state?: JobState; project?: string; before?: number }

/** /ui/jobs: every job, newest first, by state and project. */
export function jobsRoutes(router: Router, { jobViews, clock, show }: PageDeps): void {
  router.get('/ui/jobs', async (ctx) => {
    const filter = filterOf(ctx)
    const found = await jobViews.jobs({ ...filter, limit: PAGE + 1 })
    const jobs = found.slice(0, PAGE)
    const older = found.length > PAGE ? jobs.at(-1)?.id : undefined
    const root = rootOf(ctx)
    show(ctx, {
      title: 'Jobs',
      nav: 'jobs',
      body: html`<div class="head"><div><h1>Jobs</h1><p>One job for each sdist and target, however many ask for it.</p></div></div>
${filters(filter)}
<div id="live" data-live>
${jobs.length > 0
  ? jobTable({ id: 'jobs', caption: 'Jobs, newest first', jobs, root, now: clock.now(), shows: 'all' })
  : nothing(filter.state === undefined && filter.project === undefined ? 'No job was made yet.' : 'No job is like that.')}
<p class="pages">${filter.before !== undefined && html`<a class="button quiet" href="${address(filter, undefined)}">Newest</a>`}
${older !== undefined && html`<a class="button quiet" id="older" href="${address(filter, older)}">Older</a>`}</p>
</div>`,
    })
  })
}

function filterOf(ctx: Context): Filter {
  const query = new URLSearchParams(ctx.search)
  const state = STATES.find((name) => name === query.get('state'))
  const name = (query.get('project') ?? '').trim()
  const before = /^\d{1,15}$/.exec(query.get('before') ?? '')?.[0]
  return {
    ...state && { state },
    // What is no name has no jobs either, and stands in its field again.
    ...name !== '' && { project: isValidName(name) ? normalizeName(name) : name },
    ...before !== undefined && { before: Number(before) },
  }
}

function filters({ state, project }: Filter): Html {
  return html`<form class="fields filters" id="filter" action="jobs">
<div class="field"><label for="state">State</label><select id="state" name="state"><option value="">any</option>
${STATES.map((name) => html`<option${name === state && html` selected`}>${name}</option>`)}</select></div>
<div class="field"><label for="project">Project</label><input id="project" name="project" value="${project}" maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false"></div>
<button class="quiet">Show</button>
</form>`
}

function address({ state, project }: Filter, before: number | undefined): string {
  const query = new URLSearchParams({ ...state && { state }, ...project !== undefined && { project }, ...before !== undefined && { before: String(before) } })
  return `jobs${query.size > 0 ? `?${query.toString()}` : ''}`
}
