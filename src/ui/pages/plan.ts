import type { MuslinError } from '../../errors.ts'
import type { LockHashes } from '../../services/lock-views.ts'
import type { Plan, PlanLine } from '../../services/views.ts'
import { assetUrl } from '../assets.ts'
import type { Page } from '../deps.ts'
import { count, counted, duration, sentence } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { badge, nothing, table, targetName, type Row } from '../parts.ts'
import { lineKey, type PlanForm } from '../plan-form.ts'
import { hashesSection } from './plan-hashes.ts'
import { problemNote, type Problem } from './problem.ts'

/** A line of the plan, and all pins that it stands for. */
interface Shown { line: PlanLine; pinnedBy: PlanLine[] }

/** What stands first is what there is to decide. */
const ORDER: PlanLine['verdict'][] = ['would-build', 'cannot', 'built', 'upstream-wheel']

const NAMES: Record<PlanLine['verdict'], string> = { 'would-build': 'Would be built', 'cannot': 'Cannot be had', 'built': 'Built here', 'upstream-wheel': 'Upstream wheels' }

/** The plan, to choose from and to have built. `form` travels in the page: nothing is kept here until something is built. */
export function planPage({ root, plan, form, checked, csrf, hashes, problem }: {
  root: string
  plan: Plan
  form: PlanForm
  /** The lines that are to be built, by their keys; undefined: all that would be. */
  checked: Set<string> | undefined
  /** The session's; undefined: nobody is logged in, and the form asks for the token. */
  csrf: string | undefined
  /** The files with our hashes, or what keeps them from it. */
  hashes: LockHashes | MuslinError
  problem: Problem | undefined
}): Page {
  const lines = inOrder(distinct(plan.lines))
  const buildable = lines.filter(({ line }) => isBuildable(line))
  return {
    title: `Plan for ${plan.files.map(({ name }) => name).join(', ')}`, nav: 'prebuild',
    body: html`<script type="module" src="${root}${assetUrl('prebuild.js')}"></script>
<div class="head"><div><h1>Plan</h1><p>${plan.files.map(({ name, pins }, index) => html`${index > 0 && ', '}<strong>${name}</strong> (${counted(pins, 'release')})`)} for ${plan.targets.length === 1 ? html`<span class="mono">${plan.targets}</span>` : counted(plan.targets.length, 'target')}</p></div></div>
${problem && problemNote(problem)}
${figures(plan)}
<form id="build-form" method="post" action="${root}ui/prebuilds" enctype="multipart/form-data">
<input type="hidden" name="form" value="${JSON.stringify(form)}">
${csrf !== undefined && html`<input type="hidden" name="csrf" value="${csrf}">`}
${lines.length === 0 ? nothing('The file pins nothing for these targets.') : html`<section class="section" id="plan-section"><div class="head"><h2>Release by release</h2>${filters(plan)}</div>
<div class="picks" data-picks hidden><button type="button" class="quiet small" data-pick="all">Check all</button> <button type="button" class="quiet small" data-pick="none">Check none</button></div>
${table({ id: 'plan-lines', caption: 'What becomes of each release', columns: ['Release', 'Target', 'Verdict', 'What a client gets', 'Takes'], rows: lines.map((each) => row(root, each, checked, plan.files.length > 1)) })}</section>`}
${ending({ root, buildable: buildable.length, csrf })}
${hashesSection({ root, hashes, form })}
</form>`,
  }
}

/** A release on a target that several files pin stands there once; where their hashes let them get different files, once for each. */
function distinct(lines: PlanLine[]): Shown[] {
  const groups = Map.groupBy(lines, (line) => JSON.stringify([lineKey(line), line.verdict, line.filename, line.why]))
  return [...groups.values()].map((same) => ({ line: same[0]!, pinnedBy: same }))
}

/** By what there is to decide; the targets of a release side by side. */
function inOrder(all: Shown[]): Shown[] {
  const places = new Map<string, number>()
  const release = ({ line }: Shown): string => `${line.project} ${line.version}`
  for (const each of all) if (!places.has(release(each))) places.set(release(each), places.size)
  return all.toSorted((a, b) => ORDER.indexOf(a.line.verdict) - ORDER.indexOf(b.line.verdict) || places.get(release(a))! - places.get(release(b))!)
}

function isBuildable(line: PlanLine): boolean {
  // What failed before is tried again where somebody says so.
  return line.verdict === 'would-build' || line.verdict === 'cannot' && line.job !== null
}

function figures({ totals }: Plan): Html {
  const all: [label: string, value: number, note: Content][] = [
    ['Upstream wheels', totals.upstreamWheel, 'passed on as they are'],
    ['Built here', totals.built, 'there already'],
    ['Would be built', totals.wouldBuild, totals.wouldBuild > 0 && html`in about ${duration(totals.estimateSeconds)}`],
    ['Cannot be had', totals.cannot, totals.cannot > 0 && 'the reason stands with each'],
  ]
  return html`<ul class="figures" id="totals">${all.map(([label, value, note]) => html`<li class="figure"><div class="label">${label}</div><div class="value">${count(value)}</div><div class="note">${note}</div></li>`)}</ul>`
}

/** The style sheet filters by what is checked here: no script is needed for it. */
function filters({ lines }: Plan): Html {
  const shown = ORDER.filter((verdict) => lines.some((line) => line.verdict === verdict))
  return html`<fieldset class="filter"><legend class="hidden">Show</legend>${(['all', ...shown] as const).map((value) =>
    html`<label><input type="radio" name="show" value="${value}"${value === 'all' && html` checked`}><span>${value === 'all' ? 'All' : NAMES[value]}</span></label>`)}</fieldset>`
}

function row(root: string, { line, pinnedBy }: Shown, checked: Set<string> | undefined, manyFiles: boolean): Row {
  const key = lineKey(line)
  const isChecked = checked?.has(key) ?? line.verdict === 'would-build'
  const named = html`<span><a href="${root}ui/projects/${line.project}">${line.project}</a> <span class="num">${line.version}</span>${pinnedBy.map((pin) => origin(pin, manyFiles))}</span>`
  return {
    attributes: { 'data-project': line.project, 'data-target': line.target, 'data-verdict': line.verdict },
    cells: [
      isBuildable(line)
        ? html`<span class="pick"><input type="checkbox" name="only" value="${key}" aria-label="Build ${line.project} ${line.version} for ${line.target}"${isChecked && html` checked`}>${named}</span>`
        : html`<span class="pick">${named}</span>`,
      targetName(line.target),
      badge(line.verdict),
      outcome(root, line),
      line.estimateSeconds !== null && html`<span class="num">about ${duration(line.estimateSeconds)}</span>`,
    ],
  }
}

function origin({ file, line }: PlanLine, manyFiles: boolean): Html | false {
  const place = [manyFiles && file, line !== null && `line ${line}`].filter((part) => part !== false)
  return place.length > 0 && html`<span class="origin">${place.join(', ')}</span>`
}

function outcome(root: string, { verdict, filename, why, remedy, job }: PlanLine): Html {
  const link = job !== null && html` <a href="${root}ui/jobs/${job}">Job ${job}</a>`
  if (verdict !== 'cannot') {
    // A wheel that an installer may pass over, by the lock's own hashes, says so quietly.
    const but = [why, remedy].filter((text) => text !== null).map((text) => html` <span class="remedy">${sentence(text)}</span>`)
    return html`<span><span class="mono">${filename}</span>${verdict !== 'upstream-wheel' && link}${but}</span>`
  }
  return html`<span><span class="why">${why}</span>${link} <span class="remedy">${remedy}</span>${job !== null && html` <span class="remedy">It failed before: check it to have it tried again.</span>`}</span>`
}

function ending({ root, buildable, csrf }: { root: string; buildable: number; csrf: string | undefined }): Html {
  const change = html`<button class="quiet" formaction="${root}ui/prebuild" formnovalidate name="change" value="yes">Change the files or targets</button>`
  if (buildable === 0) return html`<div class="ending actions"><span class="muted">Nothing is left to build.</span> ${change}</div>`
  return html`<div class="ending panel">
${csrf === undefined && html`<div class="field"><label for="token">The admin’s token</label><input id="token" type="password" name="token" required autocomplete="current-password" aria-describedby="token-hint">
<p class="hint" id="token-hint">Building needs it: it is in the file <code>admin-token</code> of the data folder that <code class="flag">--data</code> names. It logs you in, and the plan goes on.</p></div>`}
<p class="actions"><button id="build">${csrf === undefined ? 'Log in and build' : 'Build'} <span data-picked>what is checked</span></button> ${change}</p>
</div>`
}
