/** A log's lines as HTML. */
import { ansiLine } from '../../domain/ansi.ts'
import { count, counted } from '../format.ts'
import { html, raw, textOf, type Html } from '../html.ts'
import { HEAD_LINES, positionCode, type LogLine, type LogWindow } from './window.ts'

/** The lines of a live log's next event: one HTML line each. */
export function linesHtml(lines: LogLine[]): string {
  return lines.map(lineHtml).join('\n')
}

/** The part of a page that shows a log. `build` is its run; `root` leads to the server's root. What failed is told at the end. */
export function logView({ window, build, root, running, failed }: {
  window: LogWindow | undefined
  build: number
  root: string
  running: boolean
  failed: boolean
}): Html {
  const whole = `${root}api/v1/builds/${build}/log`
  const { head, left, tail, next } = window ?? { head: [], left: 0, tail: [], next: undefined }
  return html`<div class="log-box" id="log-box" data-log="${root}ui/builds/${build}/log"${next && html` data-from="${positionCode(next)}"`}${running && html` data-running`}${(running || failed) && html` data-at-end`}>
<div class="log-scroll" tabindex="0" role="region" aria-label="Log of build ${build}">
<ol class="log" id="log" data-head="${HEAD_LINES}">
${raw(linesHtml(head))}
<li class="gap"${left === 0 && raw(' hidden')}><span data-count>${counted(left, 'line')}</span> left out here. <a href="${whole}">Read the whole log</a></li>
${raw(linesHtml(tail))}
</ol>
<div id="log-end"></div>
</div>
<div class="log-foot"><span id="log-state">${stateText(window, running)}</span> <a href="#log-end">To its end</a> <a href="${whole}">Whole log as text</a>
<button type="button" class="quiet small" id="follow" aria-pressed="${String(running)}" hidden>Follow the end</button></div>
</div>`
}

function stateText(window: LogWindow | undefined, running: boolean): string {
  const lines = window ? window.next.line - 1 : 0
  if (lines === 0) return running ? 'Nothing is written yet' : 'Nothing was written'
  return `${counted(lines, 'line')}${running ? ' so far' : ''}`
}

/** Our own words stand out; a build can imitate them, and gains nothing. */
function lineHtml({ number, text, style, cut }: LogLine): string {
  const more = cut > 0 ? textOf(html` <span class="a-dim">… ${count(cut)} more characters</span>`) : ''
  return `<li class="line${text.startsWith('Muslin: ') ? ' say' : ''}" data-n="${number}">${ansiLine(text, style).html}${more}</li>`
}
