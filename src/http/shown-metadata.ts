import { lastOf } from '../services/last-of.ts'
import type { Clock } from '../services/ports.ts'

const REMEMBERED_MS = 3_600_000

export interface ShownMetadata {
  /** This client was shown the METADATA of this digest as the promise's. */
  show(address: string, promise: string, sha256: string): void
  /** What it was shown last, within the hour. */
  last(address: string, promise: string): string | undefined
  forget(address: string, promise: string): void
}

/**
 * Which METADATA of promises each client holds: pip asks for that of all its wheels first and for the wheels one after another,
 * minutes later, when a build may long have changed it.
 */
export function createShownMetadata({ clock }: { clock: Clock }): ShownMetadata {
  const shown = lastOf<{ sha256: string; at: number }>(50_000)
  return {
    show(address, promise, sha256) { shown.set(`${address} ${promise}`, { sha256, at: clock.now() }) },
    last(address, promise) {
      const found = shown.get(`${address} ${promise}`)
      return found && clock.now() - found.at < REMEMBERED_MS ? found.sha256 : undefined
    },
    forget(address, promise) { shown.delete(`${address} ${promise}`) },
  }
}
