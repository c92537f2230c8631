import { STEPS, type JobKind, type Step } from '../domain/job.ts'
import type { Build } from './ports.ts'
import type { StepView } from './views.ts'

/** What the record keeps of each step. */
interface Recorded { step: Step; seconds?: number; peakBytes?: number }

/**
 * Every step that a run of this kind goes through, in order. A step lasts until the next begins or the run ends: `now`, milliseconds
 * since 1970, stands for the end of a run that goes on.
 */
export function stepViews(build: Build, kind: JobKind, now: number): StepView[] {
  const latest = STEPS.indexOf(build.steps.at(-1)?.step ?? 'plan')
  const whole = build.finishedAt !== undefined && !build.failure
  const recorded = new Map(recordedSteps(build).map((said) => [said.step, said]))
  return stepsOf(kind).map((step) => {
    const at = build.steps.findLastIndex((begun) => begun.step === step)
    const begun = build.steps[at]
    const said = recorded.get(step)
    const peakBytes = said?.peakBytes ?? null
    // A step that was not needed, as METADATA that was known, is passed over.
    const passed = whole || STEPS.indexOf(step) < latest
    if (!begun) return { step, state: said || passed ? 'done' : 'waiting', seconds: said?.seconds ?? null, peakBytes }
    const last = at === build.steps.length - 1
    const end = build.steps[at + 1]?.startedAt ?? build.finishedAt ?? now
    return { step, state: last ? lastState(build) : 'done', seconds: (end - begun.startedAt) / 1000, peakBytes }
  })
}

function stepsOf(kind: JobKind): readonly Step[] {
  if (kind === 'metadata') return ['plan', 'fetch', 'metadata']
  return kind === 'trial' ? STEPS.filter((step) => step !== 'publish') : STEPS
}

function lastState(build: Build): StepView['state'] {
  if (build.finishedAt === undefined) return 'running'
  return build.failure ? 'failed' : 'done'
}

/** The record is plain JSON, of whichever version wrote it. */
function recordedSteps(build: Build): Recorded[] {
  const steps = build.record?.['steps']
  return Array.isArray(steps) ? steps as Recorded[] : []
}
