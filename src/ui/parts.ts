/** The pieces that pages are made of. */
import { html, textOf, type Content, type Html } from './html.ts'

/** How each state and verdict is called, and its colour; the text alone tells it too. */
const BADGES = {
  'queued': ['queued', 'wait'],
  'running': ['running', 'run'],
  'built': ['built', 'good'],
  'failed': ['failed', 'bad'],
  'cancelled': ['cancelled', 'off'],
  'upstream-wheel': ['upstream wheel', 'given'],
  'pure-wheel': ['pure wheel', 'given'],
  'would-build': ['would build', 'could'],
  'could-build': ['could build', 'could'],
  'cannot': ['cannot', 'bad'],
  'no-sdist': ['no sdist', 'off'],
  'unsupported-python': ['other Python', 'off'],
  'had': ['there already', 'given'],
  'left-out': ['left out', 'off'],
  'skipped': ['not built here', 'off'],
  'waiting': ['waiting', 'wait'],
  'done': ['done', 'good'],
  'ready': ['ready', 'good'],
  'not-ready': ['not ready', 'off'],
} as const

type BadgeName = keyof typeof BADGES

/** A state or verdict in a word and a colour. `text` replaces the word where the place needs another one. */
export function badge(name: BadgeName, text?: string): Html {
  const [word, colour] = BADGES[name]
  return html`<span class="badge ${colour}">${text ?? word}</span>`
}

export interface Row {
  cells: Content[]
  /** Attributes of the row, such as `data-project`; undefined ones are left out. */
  attributes?: Record<string, string | number | undefined>
}

/** A table that becomes cards on a phone: there each cell bears its column's name. `caption` is read out, not shown. */
export function table({ id, caption, columns, rows, className }: {
  id?: string
  caption: string
  /** Names of the columns; an empty name is for cells that need none. */
  columns: string[]
  rows: Row[]
  className?: string
}): Html {
  return html`<table class="cards ${className}"${id !== undefined && html` id="${id}"`} role="table">
<caption class="hidden">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name || html`<span class="hidden">Actions</span>`}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map(({ cells, attributes }) => html`<tr role="row"${attributesOf(attributes)}>${cells.map((cell, index) => tableCell(cell, columns[index] ?? ''))}</tr>
`)}</tbody>
</table>`
}

/** `CPython 3.13` over the rest of the target's name, which is mostly the same for all. */
export function targetName(target: string): Html {
  const [python = '', platform = ''] = target.split(/-(.*)/)
  return html`<span class="target-name" title="${target}">${python.replace(/^cp(\d)(\d+)$/, 'CPython $1.$2')}<span class="platform">${platform}</span></span>`
}

/** What is empty stays so: a card leaves it out. The rest is one piece beside its name. */
function tableCell(content: Content, column: string): Html {
  const text = html`${content}`
  return html`<td role="cell" data-label="${column}">${textOf(text) !== '' && html`<div>${text}</div>`}</td>`
}

/** Facts as a list of terms; those without a value are left out. */
export function facts(entries: [term: string, value: Content][]): Html {
  return html`<dl class="facts">${entries.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '')
    .map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`
}

/** Lines to copy; the button comes with JavaScript. */
export function copyLines(text: string, label: string): Html {
  return html`<div class="copy"><pre tabindex="0" aria-label="${label}"><code>${text}</code></pre><button type="button" class="quiet small" data-copy hidden>Copy<span class="hidden"> ${label}</span></button></div>`
}

/** What a place says that has nothing to show. */
export function nothing(text: Content): Html {
  return html`<p class="nothing">${text}</p>`
}

/** Attributes by their names, which are ours; values are escaped. */
function attributesOf(attributes: Record<string, string | number | undefined> = {}): Html[] {
  return Object.entries(attributes).flatMap(([name, value]) => value === undefined ? [] : html` ${name}="${value}"`)
}
