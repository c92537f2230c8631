import type { Logger } from 'pino'
import type { Target } from '../domain/target.ts'
import type { Clock } from '../services/ports.ts'

const WITHDRAWN_MS = 10 * 60_000

/** Targets whose image could not be had a short while ago: nothing is promised for them until they are asked for again. */
export function createWithdrawn({ clock, log }: { clock: Clock; log: Logger }) {
  const until = new Map<string, number>()
  return {
    has: (target: Target): boolean => (until.get(target.name) ?? 0) > clock.now(),
    add(target: Target, error: unknown): void {
      until.set(target.name, clock.now() + WITHDRAWN_MS)
      log.error({ err: error, target: target.name }, `the image cannot be had: nothing is built for this target for ${WITHDRAWN_MS / 60_000} minutes`)
    },
  }
}
