import type { WaitingView } from '../services/waiting-views.ts'

/** What became another thing since the last look: `still` is told each minute. */
export interface News { event: 'waits' | 'changed' | 'still' | 'ended'; install: WaitingView }

/** Compares each look with the one before it. What had ended before the first look is no news. */
export function createNews(): (installs: WaitingView[]) => News[] {
  let before: Map<string, WaitingView> | undefined
  return (looked) => {
    // One that was given up is there once more where it came back: it waits.
    const waiting = new Set(looked.flatMap(({ id, ended }) => ended === null ? id : []))
    const installs = looked.filter(({ id, ended }) => ended === null || !waiting.has(id))
    const news = installs.flatMap((install): News[] => {
      const event = newsOf(install, before?.get(install.id), before === undefined)
      return event === undefined ? [] : [{ event, install }]
    })
    before = new Map(installs.map((install) => [install.id, install]))
    return news
  }
}

function newsOf(now: WaitingView, then: WaitingView | undefined, first: boolean): News['event'] | undefined {
  if (now.ended !== null) return first || (then !== undefined && then.ended !== null) ? undefined : 'ended'
  if (then === undefined || then.ended !== null) return 'waits'
  if (now.job.state !== then.job.state || now.job.step !== then.job.step) return 'changed'
  return Math.floor(now.seconds / 60) > Math.floor(then.seconds / 60) ? 'still' : undefined
}
