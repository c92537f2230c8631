import type { StepView } from '../../services/views.ts'
import { duration, size } from '../format.ts'
import { html, type Html } from '../html.ts'

const SAID: Record<StepView['state'], string> = { waiting: 'not begun', running: 'running', done: 'done', failed: 'failed here' }

/** The steps of a run in their order, each with its time and the memory that it took. */
export function stepList(steps: StepView[]): Html {
  return html`<ol class="steps" id="steps">${steps.map(({ step, state, seconds, peakBytes }) => html`<li class="${state}" data-step="${step}" data-state="${state}">
<span class="name">${step}</span><span class="hidden">, ${SAID[state]}</span>
<span class="figure-line">${seconds !== null ? duration(seconds) : state === 'done' ? 'not needed' : state === 'waiting' ? '' : SAID[state]}</span>
${peakBytes !== null && html`<span class="figure-line" title="The most memory that it held at once">${size(peakBytes)}</span>`}</li>`)}</ol>`
}
