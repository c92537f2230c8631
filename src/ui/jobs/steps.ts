import type { StepView } from '../../services/views.ts'
import { duration, runningTag, size } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'

const SAID: Record<StepView['state'], string> = { waiting: 'not begun', running: 'running', done: 'done', failed: 'failed here' }

/** The steps of a run in their order, each with its time and the memory that it took. */
export function stepList(steps: StepView[], now: number): Html {
  return html`<ol class="steps" id="steps">${steps.map(({ step, state, peakBytes, ...times }) => html`<li class="${state}" data-step="${step}" data-state="${state}">
<span class="name">${step}</span><span class="hidden">, ${SAID[state]}</span>
<span class="figure-line">${time({ state, ...times }, now)}</span>
${peakBytes !== null && html`<span class="figure-line" title="The most memory that it held at once">${size(peakBytes)}</span>`}</li>`)}</ol>`
}

function time({ state, seconds }: Pick<StepView, 'state' | 'seconds'>, now: number): Content {
  if (seconds === null) return state === 'done' && 'not needed'
  return state === 'running' ? runningTag(new Date(now - seconds * 1000).toISOString(), now) : duration(seconds)
}
