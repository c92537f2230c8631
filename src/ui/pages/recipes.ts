import type Router from '@koa/router'
import type { Context } from 'koa'
import { ADMIN } from '../../domain/job.ts'
import { projectNamed } from '../../domain/names.ts'
import { MuslinError } from '../../errors.ts'
import { briefly, recipeSaid, recipeView } from '../../services/recipe-views.ts'
import { counted, timeTag } from '../format.ts'
import { requireForm, requireSession, seeOther } from '../guard.ts'
import { html, type Content } from '../html.ts'
import { rootOf } from '../layout.ts'
import { nothing, table } from '../parts.ts'
import { readForm } from '../read-form.ts'
import { frameOf, type PageDeps } from '../show.ts'
import { projectRecipes, scope } from './recipes-project.ts'

/** A recipe with patches is longer than other forms. */
const MOST_BYTES = 1_000_000

/** /ui/recipes: what this site knows of projects beyond their sdists, and all of one project. */
export function recipeRoutes(router: Router, deps: PageDeps): void {
  const { recipes, clock, show } = deps

  router.get('/ui/recipes', async (ctx) => {
    const root = rootOf(ctx)
    const own = (await recipes.list()).map(recipeView)
    const builtIn = await recipes.builtIn()
    show(ctx, {
      title: 'Recipes', nav: 'recipes',
      body: html`<div class="head"><div><h1>Recipes</h1><p>What projects need in order to build, beyond what their sdists say. A site’s own go over those that builds taught, and these over built-in ones.</p></div>
${own.length > 0 && html`<a class="button quiet" href="${root}api/v1/recipes.toml">Export</a>`}</div>
<section class="section"><h2>Of this site</h2>
${own.length === 0 ? nothing('None yet: builds add what they find out, and people what they know.') : table({
    id: 'recipes', caption: 'Recipes of this site', columns: ['Project', 'For', 'Origin', 'Says', 'Made'],
    rows: own.map((one) => ({ attributes: { 'data-project': one.project, 'data-origin': one.origin }, cells: [
      html`<a href="${root}ui/recipes/${one.project}">${one.project}</a>`, scope(one), html`<span class="tag">${one.origin}</span>`,
      html`<ul class="pairs">${recipeSaid(one).map(([key, value]) => html`<li><span class="muted">${key}</span> <span class="mono">${briefly(value)}</span></li>`)}</ul>`, made(one.createdAt),
    ] })),
  })}</section>
<section class="section"><h2>Built in</h2><details id="built-in"><summary>${counted(builtIn.length, 'project')}</summary><p>${builtIn.map((project, at) => html`${at > 0 && ' · '}<a href="${root}ui/recipes/${project}">${project}</a>`)}</p></details></section>`,
    })
  })

  router.get('/ui/recipes/:project', async (ctx) => {
    const project = named(ctx)
    if (project !== ctx.params['project']) return ctx.redirect(project)
    await showProject(ctx, project)
  })

  router.post('/ui/recipes/:project', async (ctx) => {
    requireSession(ctx)
    const form = await readForm(ctx.req, { most: MOST_BYTES })
    requireForm(ctx, form.value('csrf'))
    const project = named(ctx)
    const text = form.value('text') ?? ''
    try {
      await recipes.import(text, 'the recipe', ADMIN)
    } catch (error) {
      if (!(error instanceof MuslinError) || error.code !== 'bad-recipe') throw error
      await showProject(ctx, project, { text, problem: error.detail })
      ctx.status = 400
      return
    }
    seeOther(ctx, rootOf(ctx), `ui/recipes/${project}`)
  })

  router.post('/ui/recipes/:project/remove', async (ctx) => {
    requireSession(ctx)
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    const id = /^[1-9]\d{0,14}$/.exec(form.value('id') ?? '')?.[0]
    if (id === undefined) throw new MuslinError('bad-request', 'the form names no recipe; open the page again')
    const { project } = await recipes.remove(Number(id))
    seeOther(ctx, rootOf(ctx), `ui/recipes/${project}`)
  })

  async function showProject(ctx: Context, project: string, tried?: { text: string; problem: string }): Promise<void> {
    show(ctx, { title: `Recipe of ${project}`, nav: 'recipes', body: projectRecipes({ project, layers: await recipes.show(project), frame: frameOf(ctx, deps), now: clock.now(), tried }) })
  }

  function made(createdAt: string | null): Content {
    return createdAt !== null && timeTag(createdAt, clock.now())
  }
}

function named(ctx: Context): string {
  return projectNamed(String(ctx.params['project']))
}
