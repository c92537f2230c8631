import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import type { Cache } from './cache.ts'
import type { BlobStore, BuildLogs, Clock, Inspection } from './ports.ts'

/** What is younger may be about to be referred to: blobs are stored before the transaction that names them. */
const GRACE_MS = 60 * 60 * 1000
const LOGS_AT_ONCE = 500

export const GcOrder = z.strictObject({ dryRun: z.boolean().optional().describe('Only say what would go') }).meta({ id: 'GcOrder' })
export type GcOrder = z.input<typeof GcOrder>

const Freed = z.object({ files: z.int().min(0), bytes: z.int().min(0) })

export const GcReport = z.object({
  dryRun: z.boolean(),
  unused: Freed.describe('Blobs that nothing refers to'),
  cache: Freed.describe('Files of the upstream that went so that cacheSize is kept'),
  drafts: z.int().min(0).describe('Left behind by processes that are no more'),
  logs: z.int().min(0).describe('Of builds that are not recorded'),
}).meta({ id: 'GcReport' })
export type GcReport = z.output<typeof GcReport>

/** Removes what nobody needs any more, and says what it freed: with `dryRun` only what it would. */
export type Gc = (options?: GcOrder) => Promise<GcReport>

export function createGc({ inspection, blobs, logs, cache, clock }: {
  inspection: Pick<Inspection, 'compare' | 'unknownBuilds'>
  blobs: BlobStore
  logs: Pick<BuildLogs, 'list' | 'remove'>
  cache: Pick<Cache, 'trim' | 'count'>
  clock: Clock
}): Gc {
  return async ({ dryRun = false } = {}) => {
    // What was stored by another program, or by hand, is counted from now on.
    if (!dryRun) await cache.count()
    return { dryRun, unused: await removeUnused(dryRun), drafts: await drafts(dryRun), logs: await removeLogs(dryRun), cache: await cache.trim({ dryRun }) }
  }

  async function removeUnused(dryRun: boolean): Promise<{ files: number; bytes: number }> {
    const freed = { files: 0, bytes: 0 }
    // Before the comparison: what is kept again while it goes on is young.
    const keptBefore = clock.now() - GRACE_MS
    const comparison = await inspection.compare(blobs.list())
    try {
      let looked = 0
      for (const { sha256, size, keptAt, holdings } of comparison.blobs()) {
        // Requests wait meanwhile.
        if (++looked % 200 === 0) await setImmediate()
        if (holdings.length > 0 || keptAt >= keptBefore || (!dryRun && !await blobs.remove(sha256, { keptBefore }))) continue
        freed.files += 1
        freed.bytes += size
      }
    } finally {
      comparison.close()
    }
    return freed
  }

  async function drafts(dryRun: boolean): Promise<number> {
    if (!dryRun) return blobs.sweep()
    let left = 0
    for await (const { kind } of blobs.faults()) left += kind === 'draft' ? 1 : 0
    return left
  }

  async function removeLogs(dryRun: boolean): Promise<number> {
    const before = clock.now() - GRACE_MS
    let removed = 0
    let batch: number[] = []
    const removeBatch = async () => {
      for (const build of await inspection.unknownBuilds(batch)) {
        if (!dryRun) await logs.remove(build)
        removed += 1
      }
      batch = []
    }
    for await (const { build, writtenAt } of logs.list()) {
      if (writtenAt >= before) continue
      if (batch.push(build) === LOGS_AT_ONCE) await removeBatch()
    }
    await removeBatch()
    return removed
  }
}
