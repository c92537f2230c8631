/** What is known of a job and its runs, for those who look closer. */
import type { Build } from '../../services/ports.ts'
import type { BuildView, JobView } from '../../services/views.ts'
import { duration, size, timeTag } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { facts, table } from '../parts.ts'
import { runBadge } from './run-state.ts'

interface Place { root: string; now: number }

const PRIORITIES: Record<string, string> = {
  waiting: 'first: somebody waits for it', asked: 'high: it was asked for', prebuild: 'of a prebuild', background: 'low: in the background', rebuild: 'last: a rebuild',
}

export function jobFacts(job: JobView, run: BuildView | undefined, { root, now }: Place): Html {
  const at = (iso: string | null): Content => iso !== null && timeTag(iso, now)
  return facts([
    ['Sdist', html`<a class="mono" href="${root}files/${job.sdist.sha256}/${encodeURIComponent(job.sdist.filename)}">${job.sdist.filename}</a><span class="digest">sha256:${job.sdist.sha256}</span>`],
    ['Asked by', job.askedBy],
    ['Priority', PRIORITIES[job.priority] ?? job.priority],
    ['Attempts', job.attempts],
    ['Made', at(job.createdAt)],
    ['This run began', run && at(run.startedAt)],
    ['This run ended', run && at(run.finishedAt)],
    ['It took', run?.finishedAt && duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000)],
    ['Estimate', job.estimateSeconds !== null && `about ${duration(job.estimateSeconds)}, by earlier builds`],
    ['Recipe', html`<a href="${root}ui/recipes/${encodeURIComponent(job.project)}">${job.recipe === '' ? 'none applies' : html`<span class="mono" title="${job.recipe}">${job.recipe.slice(0, 12)}</span>`}</a>${mayUseNetwork(run) && html` <span class="tag">may use the network</span>`}`],
    ['Worker', run && html`<span class="mono">${run.worker}</span>`],
  ])
}

/** A job's runs, newest first; `shown` is the one on this page. */
export function runTable(runs: Build[], job: JobView, shown: number | undefined, { root, now }: Place): Html {
  return table({
    id: 'runs', caption: 'Runs of this job, newest first', columns: ['Run', 'State', 'Why', 'Time', 'Began'],
    rows: runs.map((run) => ({
      cells: [
        run.id === shown ? html`<strong>Run ${run.id}</strong>, shown here` : html`<a href="${root}ui/builds/${run.id}">Run ${run.id}</a>`,
        runBadge({ id: run.id, ended: run.finishedAt !== undefined, failure: run.failure?.class, recorded: run.record !== undefined }, job),
        run.failure && html`<span class="cause">${run.failure.class}${run.failure.key !== '' && `: ${run.failure.key}`}</span>`,
        run.finishedAt !== undefined && html`<span class="num">${duration((run.finishedAt - run.startedAt) / 1000)}</span>`,
        timeTag(new Date(run.startedAt).toISOString(), now),
      ],
      attributes: { id: `run-${run.id}` },
    })),
  })
}

const PARTS: [key: string, name: string][] = [
  ['images', 'Built with'], ['requirements', 'Build requirements'], ['plan', 'Read from the sdist'], ['recipe', 'Recipe'], ['limits', 'Limits'],
  ['environment', 'Environment'], ['verify', 'Verified'], ['try', 'Tried'],
]

/** The record that a run left: its main parts in words, and the whole of it as it is kept. */
export function recordView(record: Record<string, unknown>): Html {
  const parts = PARTS.filter(([key]) => key in record)
  return html`<details id="record" class="record"><summary>The record of this run</summary>
<dl>${parts.map(([key, name]) => html`<div><dt>${name}</dt><dd>${value(record[key], key)}</dd></div>`)}</dl>
<details><summary>As it is kept</summary><pre tabindex="0" aria-label="The record as JSON">${JSON.stringify(record, null, 2)}</pre></details></details>`
}

function mayUseNetwork(run: BuildView | undefined): boolean {
  const recipe = run?.record?.['recipe'] as { network?: unknown } | undefined
  return recipe?.network === true
}

/** Any JSON as lists; records of every version are shown, whatever they hold. */
function value(json: unknown, key: string): Content {
  if (json === null || json === undefined) return html`<span class="muted">none</span>`
  if (typeof json === 'number') return /memory|disk|bytes|size/i.test(key) ? size(json) : /^(time|seconds)$/.test(key) ? duration(json) : json
  if (Array.isArray(json)) return json.length === 0 ? value(undefined, key) : html`<ul>${json.map((item) => html`<li>${value(item, key)}</li>`)}</ul>`
  if (typeof json === 'object') return html`<ul class="pairs">${Object.entries(json).map(([name, item]) => html`<li><span class="muted">${name}</span> ${value(item, name)}</li>`)}</ul>`
  return html`<span class="mono">${String(json as string | boolean)}</span>`
}
