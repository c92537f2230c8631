import type { Auth } from '../../services/sessions.ts'
import type { Prebuild, PrebuildLine } from '../../services/views.ts'
import type { Page } from '../deps.ts'
import { count, counted, duration, timeTag } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { csrfField, loginUrl } from '../layout.ts'
import { badge, table, targetName, type Row } from '../parts.ts'

/** What is looked at first: what failed, then what is under way, then the rest. */
const ORDER: PrebuildLine['state'][] = ['failed', 'cancelled', 'running', 'queued', 'built', 'cannot', 'left-out', 'had']

const REFRESH_SECONDS = 5

/** How far a prebuild is. All of it stands in the database: a reload and a second tab show the same. */
export function progressPage({ root, prebuild, auth, now }: { root: string; prebuild: Prebuild; auth: Auth | undefined; now: number }): Page {
  const { id, name, askedBy, createdAt, finished, done, total } = prebuild
  const lines = prebuild.lines.map((line, index) => ({ ...line, index })).toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return {
    title: finished ? `Prebuild ${id}` : `${done} of ${total} · Prebuild ${id}`, nav: 'prebuild', refreshSeconds: finished ? undefined : REFRESH_SECONDS,
    body: html`<p class="eyebrow"><a href="${root}ui/prebuild">Prebuild</a></p>
<div class="head"><div><h1>Prebuild ${id}</h1><p>${name}, started ${timeTag(createdAt, now)} by ${askedBy}</p></div></div>
<div id="prebuild" data-live>
${progress(prebuild, root, auth)}
<section class="section"><h2>Release by release</h2>
${table({
    id: 'prebuild-lines', caption: 'The releases of this prebuild', columns: ['Release', 'Target', 'State', 'What came of it', 'Time', ''],
    rows: lines.map((line) => row(root, line, auth, `ui/prebuilds/${id}`)),
  })}</section>
</div>`,
  }
}

function progress({ id, lines, done, total, failed, finished, remainingSeconds, paused }: Prebuild, root: string, auth: Auth | undefined): Html {
  const cannot = lines.filter(({ state }) => state === 'cannot').length
  const succeeded = finished && failed === 0 && cannot === 0
  return html`<div class="panel progress-panel"><div class="title"><h2 id="progress-told">${told()}</h2>${failed > 0 && badge('failed', `${failed} failed`)}${cannot > 0 && total > 0 && badge('cannot', `${cannot} cannot be had`)}${succeeded && badge('done')}</div>
${total > 0 && html`<progress max="${total}" value="${done}" aria-labelledby="progress-told"${finished && done === failed && html` class="bad"`}></progress>`}
${failed > 0 && !auth?.session && html`<p class="small"><a id="to-login" href="${loginUrl({ root, path: `/ui/prebuilds/${id}` })}">Log in to try again</a></p>`}</div>`

  function told(): Content {
    if (total === 0) return cannot > 0 ? `${count(cannot)} cannot be had, and nothing was to be built.` : 'There was nothing to build.'
    if (!finished) return html`${done} of ${counted(total, 'build')} done${paused !== null && `, ${paused}`}${remainingSeconds !== null && `, about ${duration(remainingSeconds)} left`}`
    if (failed > 0) return html`${done - failed} of ${counted(total, 'build')} succeeded.`
    return html`${total === 1 ? 'The build' : `All ${total} builds`} succeeded.`
  }
}

function row(root: string, line: PrebuildLine & { index: number }, auth: Auth | undefined, here: string): Row {
  const { project, version, target, state, job } = line
  return {
    attributes: { 'id': `line-${line.index}`, 'data-project': project, 'data-target': target, 'data-state': state },
    cells: [
      html`<span><a href="${root}ui/projects/${project}">${project}</a> <span class="num">${version}</span></span>`,
      targetName(target),
      badge(state),
      outcome(line),
      time(line),
      job !== null && html`<span class="actions"><a href="${root}ui/jobs/${job}">${state === 'running' ? html`Watch<span class="hidden"> job ${job}</span>` : `Job ${job}`}</a>
${(state === 'failed' || state === 'cancelled') && auth?.session && html`<form method="post" action="${root}ui/jobs/${job}/retry">${csrfField(auth)}<input type="hidden" name="next" value="/${here}"><button class="quiet small">Retry<span class="hidden"> ${project} for ${target}</span></button></form>`}</span>`,
    ],
  }
}

function time({ state, seconds, estimateSeconds }: PrebuildLine): Content {
  if (seconds !== null) return html`<span class="num">${duration(seconds)}</span>`
  return state === 'queued' && estimateSeconds !== null && html`<span class="num">about ${duration(estimateSeconds)}</span>`
}

function outcome({ state, filename, failure, why, remedy }: PrebuildLine): Content {
  if (state === 'failed' || state === 'cancelled') return failure && html`<span><span class="why">${failure.cause}</span> <span class="remedy">${failure.remedy}</span></span>`
  if (state === 'cannot') return html`<span><span class="why">${why}</span> <span class="remedy">${remedy}</span></span>`
  return (state === 'built' || state === 'had') && filename !== null && html`<span class="mono">${filename}</span>`
}
