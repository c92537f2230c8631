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

/** An error as it is told in a page. `bad-lock` names all bad lines in one text: `file: line 3: why; line 7: why`. */
export function problemOf({ code, detail }: MuslinError): Problem {
  const { title, remedy } = ERRORS[code]
  const [, file, lines] = code === 'bad-lock' ? /^(.*?): ((?:line \d+: ).*)$/s.exec(detail) ?? [] : []
  if (file === undefined || lines === undefined) return { title, detail, lines: [], remedy }
  return { title, detail: `In ${file}:`, lines: lines.split(/; (?=line \d+: |and likewise lines? )/), remedy }
}

/** The problem as a note. */
export function problemNote({ title, detail, lines, remedy }: Problem): Html {
  return html`<div class="notice bad" role="alert" id="problem"><p><strong>${title}.</strong> ${detail}</p>
${lines.length > 0 && html`<ul class="bad-lines">${lines.map((line) => html`<li>${line}</li>`)}</ul>`}
<p class="muted">${remedy}</p></div>`
}
