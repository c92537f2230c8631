import { lastOf } from '../../services/last-of.ts'
import type { Clock } from '../../services/ports.ts'

/** A proxy that takes a 100 for the answer hangs up at once; a person's Ctrl-C seldom falls into this span. */
const HANGS_UP_WITHIN_MS = 1_500
const PROXIED_FOR_MS = 3_600_000

export interface CutPeers {
  /** The client left a hold by 100s: `toldAt` is when the last one was written. */
  left(address: string, toldAt: number | undefined): void
  /** Whether there is a proxy before this client that showed itself by its dislike of 100s. */
  proxied(address: string): boolean
}

/** Remembers for an hour whose connections broke on a `100 Continue`: such a peer is behind a proxy, whatever its headers say. */
export function createCutPeers({ clock }: { clock: Clock }): CutPeers {
  const cutAt = lastOf<number>(10_000)
  return {
    left(address, toldAt) {
      if (toldAt !== undefined && clock.now() - toldAt <= HANGS_UP_WITHIN_MS) cutAt.set(address, clock.now())
    },
    proxied(address) {
      const at = cutAt.get(address)
      return at !== undefined && clock.now() - at < PROXIED_FOR_MS
    },
  }
}
