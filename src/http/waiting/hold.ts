import type { ServerResponse } from 'node:http'
import type { HoldPlan } from '../../domain/holding.ts'
import type { Clock } from '../../services/ports.ts'

export type Held<T> = { kind: 'settled'; value: T } | { kind: 'patience-over' } | { kind: 'closing' } | { kind: 'gone'; toldAt: number | undefined }

/**
 * Keeps a request open until `settled` resolves or the plan's time is over, sending `100 Continue` meanwhile where the plan says so.
 * `gone`: the client left, and when it was sent its last 100; `closing`: the server stops. Whatever happens, no timer is left.
 * `tick` is called after each 100. Rejects only as `settled` does.
 */
export async function hold<T>({ clock, closing, response, plan, settled, tick }: {
  clock: Clock
  closing: AbortSignal
  response: ServerResponse
  plan: HoldPlan
  settled: (signal: AbortSignal) => Promise<T>
  tick: () => void
}): Promise<Held<T>> {
  let toldAt: number | undefined
  const ended = new AbortController()
  const left = () => ended.abort()
  response.once('close', left)
  closing.addEventListener('abort', left)
  if (closing.aborted || response.destroyed) ended.abort()
  try {
    const result = settled(ended.signal).then((value): Held<T> => ({ kind: 'settled', value }))
    result.catch(() => {})
    for (const { waitMs, tell } of moves(plan)) {
      const rested = clock.sleep(waitMs, ended.signal)
      rested.catch(() => {})
      const first = await Promise.race([result, rested])
      if (first) return first
      // RFC 9110 section 15.2: any number of interim answers may come; only 100 is one that every client skips.
      if (tell) {
        response.writeContinue()
        toldAt = clock.now()
        tick()
      }
    }
    return { kind: 'patience-over' }
  } catch (error) {
    if (response.destroyed) return { kind: 'gone', toldAt }
    if (closing.aborted) return { kind: 'closing' }
    throw error
  } finally {
    response.off('close', left)
    closing.removeEventListener('abort', left)
    ended.abort()
  }
}

function moves({ interim, holdMs }: HoldPlan): { waitMs: number; tell: boolean }[] {
  const told = Array.from({ length: interim?.count ?? 0 }, () => ({ waitMs: interim!.everyMs, tell: true }))
  const rest = holdMs - told.reduce((sum, { waitMs }) => sum + waitMs, 0)
  return rest > 0 ? [...told, { waitMs: rest, tell: false }] : told
}
