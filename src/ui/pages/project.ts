import type Router from '@koa/router'
import type { Context } from 'koa'
import { ADMIN } from '../../domain/job.ts'
import { projectNamed } from '../../domain/names.ts'
import { MuslinError } from '../../errors.ts'
import type { ProjectMatrix } from '../../services/views.ts'
import { counted, timeTag } from '../format.ts'
import { requireForm, seeOther } from '../guard.ts'
import { html, type Html } from '../html.ts'
import { waitingLine } from '../jobs/waiting-line.ts'
import { rootOf } from '../layout.ts'
import { nothing } from '../parts.ts'
import { readForm } from '../read-form.ts'
import { authOf, type PageDeps } from '../show.ts'
import { isMissing, legend, matrixTable } from './project-matrix.ts'
import { refreshForm } from './refresh.ts'

/** A project's releases by target, as far as they are known here: looking asks no upstream and starts nothing. */
export function projectRoutes(router: Router, deps: PageDeps): void {
  const { matrix, orders, installs, clock, offline, show } = deps

  router.get('/ui/projects', (ctx) => {
    const name = String(ctx.query['name'] ?? '').trim()
    if (name !== '') return ctx.redirect(`projects/${projectNamed(name)}`)
    show(ctx, { title: 'Find a project', body: search(rootOf(ctx)) })
  })

  router.get('/ui/projects/:project', async (ctx) => {
    const project = projectNamed(String(ctx.params['project']))
    if (project !== ctx.params['project']) return ctx.redirect(`${project}${ctx.search}`)
    const known = await matrix.project(project).catch(unknown)
    if (!known) return showUnknown(ctx, project)
    const view = { stable: ctx.query['releases'] === 'stable', missing: ctx.query['only'] === 'missing' }
    const releases = known.releases.filter((release) => !(view.stable && release.prerelease) && !(view.missing && !isMissing(release)))
    const root = rootOf(ctx)
    const waiting = waitingLine(installs.list().filter((install) => install.project === project), clock.now())
    show(ctx, {
      title: project,
      refreshSeconds: waiting === false ? undefined : 10,
      body: html`<div class="head"><div><h1>${project}</h1>
<p>${counted(known.releases.length, 'release')}${known.fetchedAt !== null ? html` · the upstream’s page as of ${timeTag(known.fetchedAt, clock.now())}` : ' · the upstream’s page was never asked for'}</p></div>
<div class="actions">${refreshForm({ root, project, auth: authOf(ctx), offline })}<a class="button quiet" href="${root}ui/recipes/${project}">Recipe</a> <a class="button quiet" href="${root}simple/${project}/">Index page</a></div></div>
<div id="waiting-now" data-live>${waiting}</div>
${filters(project, known, view)}
<div id="matrix" data-live>
${releases.length === 0 ? nothing(known.releases.length === 0 ? 'The project has no release.' : 'No release is left by these filters.') : matrixTable({ root, known, releases, auth: authOf(ctx) })}
</div>
${legend()}`,
    })
  })

  router.post('/ui/projects/:project/build', async (ctx) => {
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    const [version = '', target = ''] = (form.value('cell') ?? '').split('|')
    if (version === '' || target === '') throw new MuslinError('bad-request', 'the form names no release and target; open the project\'s page again')
    const [job] = await orders.build({ project: projectNamed(String(ctx.params['project'])), version, targets: [target] }, ADMIN)
    seeOther(ctx, rootOf(ctx), job ? `ui/jobs/${job.id}` : `ui/projects/${ctx.params['project']}`)
  })

  function showUnknown(ctx: Context, project: string): void {
    const root = rootOf(ctx)
    show(ctx, {
      title: project,
      body: html`<section class="panel error"><h1>${project}</h1>
<p class="lead" id="unknown">Nothing of this project is known here yet.</p>
<p>Looking at this page asks no upstream. A project comes to be known when an installer asks for it, when a plan names it, or when its index page is opened.</p>
<p class="actions"><a class="button" href="${root}simple/${project}/">Open its index page</a> <a class="button quiet" href="${root}ui/prebuild">Make a plan</a></p></section>`,
    })
    ctx.status = 404
  }
}

function search(root: string): Html {
  return html`<section class="panel login stack"><h1>Find a project</h1>
<form class="stack" id="find" action="${root}ui/projects"><div class="field"><label for="name">Its name on the index</label>
<input id="name" type="search" name="name" required autofocus maxlength="200" placeholder="PyYAML" autocomplete="off" autocapitalize="off" spellcheck="false"></div>
<p class="actions"><button>Show its releases</button></p></form></section>`
}

function unknown(error: unknown): undefined {
  if (error instanceof MuslinError && error.code === 'no-such-project') return undefined
  throw error
}

/** Links, so that a filtered page has an address and needs no script. */
function filters(project: string, { releases }: ProjectMatrix, view: { stable: boolean; missing: boolean }) {
  const toggle = (text: string, on: boolean, other: { stable: boolean; missing: boolean }, shown: number) => {
    const query = [other.stable && 'releases=stable', other.missing && 'only=missing'].filter((part) => part !== false).join('&')
    return html`<a class="toggle" href="${project}${query && `?${query}`}"${on && html` aria-current="true"`}>${text} <span class="num muted">${shown}</span></a>`
  }
  return html`<nav class="toggles" aria-label="Filter">${[
    toggle('Stable only', view.stable, { ...view, stable: !view.stable }, releases.filter(({ prerelease }) => !prerelease).length),
    toggle('Missing a wheel', view.missing, { ...view, missing: !view.missing }, releases.filter(isMissing).length),
  ]}</nav>`
}
