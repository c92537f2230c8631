import { ERRORS, type MuslinError } from '../../errors.ts'
import { html, type Html } from '../html.ts'

/** What is wrong with what was sent, told at the form that sent it. */
export interface Problem {
  title: string
  detail: string
  /** The bad lines of a lock file, each by itself. */
  lines: string[]
  remedy: string
}

/** An error as it is told in a page. `bad-lock` names all bad lines in one text: `one.txt: line 3: why; line 7: why; two.txt: line 1: why`. */
export function problemOf({ code, detail }: MuslinError): Problem {
  const { title, remedy } = ERRORS[code]
  const lines = code === 'bad-lock' ? detail.split(/; (?=(?:[^;:]{1,100}: )?line \d+: |and likewise lines? \d)/) : []
  return lines.length > 1 ? { title, detail: '', lines, remedy } : { title, detail, lines: [], remedy }
}

/** The problem as a note; a page may have several, each under an `id` of its own. */
export function problemNote({ title, detail, lines, remedy }: Problem, id = 'problem'): Html {
  return html`<div class="notice bad" role="alert" id="${id}"><p><strong>${title}:</strong> ${detail}</p>
${lines.length > 0 && html`<ul class="bad-lines">${lines.map((line) => html`<li>${line}</li>`)}</ul>`}
<p class="muted">${remedy}</p></div>`
}
