import { LRUCache } from 'lru-cache'
import { MuslinError } from '../errors.ts'
import type { Clock } from '../services/ports.ts'

const MOST_WRONG = 10
const WITHIN_MS = 60_000
/** Addresses are cheap, for IPv6 above all: so many are remembered. */
const MOST_ADDRESSES = 10_000

export interface LoginLimit {
  /** Counts a wrong token; throws `too-many-logins` where this address was wrong too often within a minute. */
  wrong(address: string): void
}

/**
 * Bounds how often somebody may be wrong about the admin's token. The right one is never refused: behind a proxy all people may have
 * one address, and a token cannot be guessed however often somebody tries.
 */
export function createLoginLimit({ clock }: { clock: Clock }): LoginLimit {
  const attempts = new LRUCache<string, number[]>({ max: MOST_ADDRESSES })
  const recent = (address: string) => (attempts.get(address) ?? []).filter((at) => at > clock.now() - WITHIN_MS)
  return {
    wrong(address) {
      const before = recent(address)
      if (before.length < MOST_WRONG) return void attempts.set(address, [...before, clock.now()])
      throw new MuslinError('too-many-logins', `${address} sent ${MOST_WRONG} wrong tokens within a minute; wait a minute, and read the token in the file admin-token of the data folder`)
    },
  }
}
