/** How much memory builds are expected to take, so that several run at once where they fit, and one where they do not. */
import type { JobKind } from './job.ts'

const MIB = 1024 ** 2
/** The interpreter, a compiler and the files of a small build. */
const LEAST_BYTES = 256 * MIB
/** The next release takes more, and parallel compilers meet at their peaks as they like. */
const MARGIN = 1.3
/** Of the budget, for a project that was never built here. */
const UNKNOWN_SHARE = 1 / 4

/** Small builds pass a larger one that does not fit for so long, milliseconds; then what runs is let end, and the larger one begins. */
export const PASSING_MS = 2 * 60_000

/** What a worker has: `free` of `budget` bytes for all its builds, of which each may use `limit`. Where nothing runs all is free, and more: the largest begins too. */
export interface Room { free: number; budget: number; limit: number }

/** The room of a worker whose running builds are expected to take so many bytes each. */
export function roomBeside(running: number[], { budget, limit }: Pick<Room, 'budget' | 'limit'>): Room {
  const taken = running.reduce((sum, bytes) => sum + bytes, 0)
  return { free: taken === 0 ? Number.POSITIVE_INFINITY : budget - taken, budget, limit }
}

/** Bytes that a job is expected to take; none for METADATA alone, which takes little and keeps nobody out. `peak`: the most that the last successful build of its project held; undefined: nobody knows. */
export function expectedBytes(kind: JobKind, peak: number | undefined, { budget, limit }: Pick<Room, 'budget' | 'limit'>): number {
  if (kind === 'metadata') return 0
  if (peak === undefined) return Math.max(LEAST_BYTES, Math.min(limit, Math.floor(budget * UNKNOWN_SHARE)))
  // A recipe may have given it more than the limit.
  return Math.max(LEAST_BYTES, Math.min(Math.ceil(peak * MARGIN), Math.max(limit, peak)))
}
