import type { Auth } from '../../services/sessions.ts'
import type { MatrixCell, ProjectMatrix } from '../../services/views.ts'
import { html, type Html } from '../html.ts'
import { csrfField } from '../layout.ts'
import { badge, targetName } from '../parts.ts'

type Release = ProjectMatrix['releases'][number]
type Verdict = MatrixCell['verdict']

const MEANINGS: [Verdict, string][] = [
  ['upstream-wheel', 'the upstream has it for musl'],
  ['pure-wheel', 'Python alone, fits everywhere'],
  ['built', 'compiled here'],
  ['could-build', 'would be compiled when asked for'],
  ['failed', 'could not be compiled; the job says why'],
  ['no-sdist', 'nothing to compile'],
  ['unsupported-python', 'not for this Python'],
  ['skipped', 'its recipe says why'],
]

/** Release by target, newest first. Whoever is logged in can have a cell built. */
export function matrixTable({ root, known, releases, auth }: { root: string; known: ProjectMatrix; releases: Release[]; auth: Auth | undefined }): Html {
  const loggedIn = auth?.session !== undefined
  return html`<form method="post" action="${root}ui/projects/${known.project}/build">${csrfField(auth)}
<div class="matrix-scroll" tabindex="0" role="region" aria-label="Releases by target"><table class="matrix">
<caption class="hidden">What there is of ${known.project}, release by target</caption>
<thead><tr><th scope="col">Release</th>${known.targets.map((target) => html`<th scope="col">${targetName(target)}</th>`)}</tr></thead>
<tbody>
${releases.map((release) => html`<tr><th scope="row"><span class="num">${release.version}</span>${release.yanked && html` <span class="tag">yanked</span>`}${release.prerelease && html` <span class="tag">pre</span>`}${release.uploadedAt !== null && html`<span class="day">${release.uploadedAt.slice(0, 10)}</span>`}</th>${known.targets.map((target) =>
    html`<td>${release.cells[target] && cell(root, release.cells[target], `${release.version}|${target}`, loggedIn)}</td>`)}</tr>
`)}</tbody>
</table></div></form>`
}

/** Whether a client on one of the targets finds no wheel. */
export function isMissing({ cells }: Release): boolean {
  return Object.values(cells).some(({ verdict }) => verdict !== 'upstream-wheel' && verdict !== 'pure-wheel' && verdict !== 'built')
}

/** What the badges mean. */
export function legend(): Html {
  return html`<ul class="legend" aria-label="Legend">${MEANINGS.map(([verdict, meaning]) => html`<li>${badge(verdict)} ${meaning}</li>`)}</ul>`
}

function cell(root: string, { verdict, filename, job, failure, why }: MatrixCell, key: string, loggedIn: boolean): Html {
  const mark = badge(verdict)
  if (job !== null) return html`<a class="cell-link" href="${root}ui/jobs/${job}" title="${failure?.cause ?? filename ?? `Job ${job}`}">${mark}</a>`
  if (verdict === 'could-build' && loggedIn) return html`<details class="cell"><summary>${mark}</summary><button class="small" name="cell" value="${key}">Build<span class="hidden"> ${key.replace('|', ' for ')}</span></button></details>`
  const more = filename ?? why
  return more === null ? mark : html`<span title="${more}">${mark}</span>`
}
