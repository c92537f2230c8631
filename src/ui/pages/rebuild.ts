import type Router from '@koa/router'
import type { Context } from 'koa'
import { ADMIN } from '../../domain/job.ts'
import { MuslinError } from '../../errors.ts'
import type { Outdated, OutdatedRebuilt } from '../../services/rebuild-views.ts'
import type { TargetView } from '../../services/views.ts'
import { counted, sentence, timeTag } from '../format.ts'
import { requireForm, requireSession, seeOther } from '../guard.ts'
import { html, type Content, type Html } from '../html.ts'
import { csrfField, loginUrl, rootOf, type Frame } from '../layout.ts'
import { badge, nothing, table } from '../parts.ts'
import { readForm } from '../read-form.ts'
import { frameOf, type PageDeps } from '../show.ts'
import { problemNote, problemOf } from './problem.ts'

/** /ui/rebuild: wheels with older libraries, and building for a new Python what another one uses. */
export function rebuildRoutes(router: Router, deps: PageDeps): void {
  const { outdated, rebuilds, overview, clock, show } = deps

  router.get('/ui/rebuild', (ctx) => showPage(ctx))

  router.post('/ui/rebuild/outdated', async (ctx) => {
    await ownForm(ctx)
    const rebuilt = await outdated.rebuild({}, ADMIN)
    if (rebuilt.left.length > 0) await showPage(ctx, { rebuilt })
    else seeOther(ctx, rootOf(ctx), 'ui/rebuild')
  })

  router.post('/ui/rebuild/like', async (ctx) => {
    const form = await ownForm(ctx)
    const order = { target: form.value('target') ?? '', like: form.value('like') ?? '' }
    try {
      const { id } = await rebuilds.start(order, ADMIN)
      seeOther(ctx, rootOf(ctx), `ui/prebuilds/${id}`)
    } catch (error) {
      if (!(error instanceof MuslinError) || error.code === 'internal') throw error
      await showPage(ctx, { tried: { order, error } })
    }
  })

  async function ownForm(ctx: Context) {
    requireSession(ctx)
    const form = await readForm(ctx.req)
    requireForm(ctx, form.value('csrf'))
    return form
  }

  async function showPage(ctx: Context, { tried, rebuilt }: { tried?: { order: { target: string; like: string }; error: MuslinError }; rebuilt?: OutdatedRebuilt } = {}): Promise<void> {
    const frame = frameOf(ctx, deps)
    const { targets } = await overview.overview()
    show(ctx, {
      title: 'Rebuild', nav: 'rebuild',
      body: html`<div class="head"><div><h1>Rebuild</h1><p>A wheel carries the libraries along that it was built with, and every new Python needs wheels of its own.</p></div></div>
${tried && problemNote(problemOf(tried.error))}
${rebuilt && leftNote(rebuilt)}
<section class="section"><h2>Outdated libraries</h2>${outdatedSection(await outdated.list(), frame, clock.now())}</section>
<section class="section"><h2>A new Python</h2>${likeForm(targets, tried?.order, frame)}</section>`,
    })
    if (tried) ctx.status = tried.error.status
  }
}

/** Several for one reason are told of once. */
function leftNote({ jobs, left }: OutdatedRebuilt): Html {
  const reasons = [...Map.groupBy(left, ({ why }) => why)]
  return html`<div class="notice" id="left"><p><strong>${counted(jobs.length, 'rebuild')} queued; ${counted(left.length, 'wheel')} left as ${left.length === 1 ? 'it is' : 'they are'}.</strong></p>
${reasons.map(([why, wheels]) => html`<p><span class="mono">${wheels.map(({ filename }) => filename).join(', ')}</span>: ${why}</p>`)}</div>`
}

function outdatedSection({ outdated, unreachable }: Outdated, frame: Frame, now: number): Html {
  const wheels = new Set(outdated.map(({ filename }) => filename)).size
  return html`${unreachable.map(({ repository, arch, why, since }) => html`<div class="notice"><p><strong>${repository} cannot be asked for ${arch}.</strong> ${sentence(why)}
${since === null ? 'Nothing was compared with it' : html`What is newer than its index of ${timeTag(since, now)} is not known`}: more wheels may carry outdated libraries.</p></div>`)}
${outdated.length === 0 ? nothing(unreachable.length > 0 ? 'No wheel is known to carry an older library than its Alpine branch has.' : 'No wheel carries an older library than its Alpine branch has.') : html`${table({
    id: 'outdated', caption: 'Wheels with outdated libraries', columns: ['Wheel', 'Library', 'Has', 'Newest', 'Rebuild'],
    rows: outdated.map(({ project, filename, library, apk, has, newest, job, state }) => ({
      attributes: { 'data-filename': filename },
      cells: [
        html`<a class="mono" href="${frame.root}ui/projects/${encodeURIComponent(project)}">${filename}</a>`, html`<span class="mono">${library}</span> <span class="muted small">${apk}</span>`,
        html`<span class="mono">${has}</span>`, html`<span class="mono">${newest}</span>`,
        job !== null && state !== null && html`${badge(state)} <a href="${frame.root}ui/jobs/${job}">Job ${job}</a>`,
      ],
    })),
  })}
${button('outdated', `Rebuild ${counted(wheels, 'wheel')}`, frame)}`}`
}

/** What is in use is chosen among all that is known; an older target may be configured no more, and is written then. */
function likeForm(targets: TargetView[], order: { target: string; like: string } | undefined, frame: Frame): Html {
  const names = targets.map(({ name }) => name)
  const options = (chosen: string | undefined): Content => names.map((name) => html`<option value="${name}"${name === chosen && html` selected`}>${name}</option>`)
  return html`<form id="like" class="panel stack" method="post" action="${frame.root}ui/rebuild/like">${frame.auth?.session && csrfField(frame.auth)}
<p>All that was built here for one target, or sent to its clients, is built for another: the most wanted first, and nothing that the upstream has.</p>
<div class="field"><label for="target">Build for</label><select id="target" name="target">${options(order?.target ?? names.at(-1))}</select></div>
<div class="field"><label for="like-target">What this one uses</label><input id="like-target" name="like" list="known-targets" required maxlength="100" value="${order?.like ?? names.at(-2) ?? ''}" autocapitalize="off" autocomplete="off" spellcheck="false"><datalist id="known-targets">${options(undefined)}</datalist></div>
${frame.auth?.session ? html`<p class="actions"><button id="start-like">Queue the builds</button></p>` : toLogin(frame)}</form>`
}

function button(action: string, name: string, frame: Frame): Html {
  if (!frame.auth?.session) return toLogin(frame)
  return html`<form class="actions" method="post" action="${frame.root}ui/rebuild/${action}">${csrfField(frame.auth)}<button id="rebuild-${action}">${name}</button></form>`
}

function toLogin(frame: Frame): Html {
  return html`<p class="actions"><a class="button quiet" href="${loginUrl(frame)}">Log in to rebuild</a></p>`
}
