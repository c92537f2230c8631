import { createHash } from 'node:crypto'
import { MuslinError } from '../errors.ts'
import type { Damage, DamageName } from './damage.ts'
import { keepBlob } from './keep-blob.ts'
import type { BlobStore, Clock, Comparison, Holding, HoldingKind, Inspection, Store, StoreFault } from './ports.ts'

export interface FsckReport { blobs: number; bytes: number; found: number; left: number }

export interface FsckOptions {
  repair: boolean
  /** Each as it is found; repaired already, where it could be. */
  damage: (damage: Damage) => void
  /** Bytes that were read, of all that are to be. */
  progress?: (done: number, total: number) => void
}

export type Fsck = (options: FsckOptions) => Promise<FsckReport>

/** How a damaged blob is called by what refers to it; a wheel's METADATA are looked at with the wheel. */
const DAMAGED: Record<Exclude<HoldingKind, 'wheel-metadata' | 'cached'>, DamageName> = {
  'upstream-file': 'damaged-file', 'upstream-metadata': 'damaged-metadata', 'wheel': 'damaged-wheel', 'promise-metadata': 'damaged-promise-metadata',
  'result': 'damaged-result', 'kept': 'damaged-kept', 'list': 'damaged-list',
}
const MISSING: Record<Exclude<HoldingKind, 'wheel-metadata' | 'upstream-file' | 'upstream-metadata'>, DamageName> = {
  'cached': 'missing-file', 'wheel': 'missing-wheel', 'promise-metadata': 'missing-promise-metadata', 'result': 'missing-result', 'kept': 'missing-kept', 'list': 'missing-list',
}

/**
 * Looks through a whole data folder: the database, every blob's bytes against its digest, every reference against the blobs, the METADATA of
 * our wheels against the wheels, and what lies there besides. With `repair` what is damaged is never served again, whether or not it can be
 * had again. Bytes are read in pieces, one blob at a time.
 */
export function createFsck({ inspection, store, blobs, faults, readMetadata, clock }: {
  inspection: Inspection
  store: Pick<Store, 'mend'>
  blobs: BlobStore
  /** What is wrong with the data folder besides its blobs. */
  faults: () => AsyncIterable<StoreFault>
  /** The METADATA in a stored wheel; undefined where none can be read. */
  readMetadata: (sha256: string, filename: string) => Promise<Buffer | undefined>
  clock: Clock
}): Fsck {
  return async ({ repair, damage, progress }) => {
    const report = { blobs: 0, bytes: 0, found: 0, left: 0 }
    const damaged = new Set<string>()
    const absent = new Set<string>()
    /** METADATA of promises that are those of a wheel too. */
    const withWheel: Holding[] = []

    const database = await inspection.faults()
    for (const line of database) tell({ kind: 'database', name: 'muslin.db', repaired: false, detail: line })
    // What a damaged database says of blobs may be anything: nothing is changed by it.
    if (database.length > 0) return report
    for await (const project of inspection.badPages()) await found({ kind: 'unreadable-page', name: project }, () => store.mend.losePage(project))
    for await (const fault of faults()) await found(fault, fault.mend)
    for await (const fault of blobs.faults()) await found(fault, fault.mend)
    const comparison = await inspection.compare(blobs.list())
    try {
      await checkBlobs(comparison)
      await checkMissing(comparison)
    } finally {
      comparison.close()
    }
    for await (const wheel of inspection.wheels()) await checkMetadata(wheel)
    // Of a wheel that is lost with its METADATA nothing is left to read them out of.
    for (const holding of withWheel) if (repair && !await blobs.stat(holding.sha256)) await lost(holding, absent.has(holding.sha256) ? MISSING['promise-metadata'] : DAMAGED['promise-metadata'])
    return report

    function tell(one: Damage): void {
      report.found += 1
      report.left += one.repaired ? 0 : 1
      damage(one)
    }

    async function found({ kind, name }: { kind: DamageName; name: string }, mend: () => Promise<unknown>): Promise<void> {
      if (repair) await mend()
      tell({ kind, name, repaired: repair })
    }

    async function checkBlobs(all: Comparison): Promise<void> {
      const total = all.stored().bytes
      for (const { sha256, holdings } of all.blobs()) {
        const right = await isRight(sha256, (bytes) => {
          report.bytes += bytes
          progress?.(report.bytes, total)
        })
        report.blobs += 1
        // A server may have fetched or built it again while what lay there before was read.
        if (right || await isRight(sha256)) continue
        damaged.add(sha256)
        if (repair) await blobs.setAside(sha256)
        if (holdings.length === 0) await found({ kind: 'damaged-unused', name: sha256 }, async () => undefined)
        for (const holding of ownAffair(holdings.filter(({ kind }) => kind !== 'cached'))) await lost(holding, DAMAGED[holding.kind as keyof typeof DAMAGED])
      }
    }

    /** All but what is told with the wheel: its METADATA, which are those of its promise too. */
    function ownAffair(holdings: Holding[]): Holding[] {
      if (!holdings.some(({ kind }) => kind === 'wheel-metadata')) return holdings
      withWheel.push(...holdings.filter(({ kind }) => kind === 'promise-metadata'))
      return holdings.filter(({ kind }) => kind !== 'wheel-metadata' && kind !== 'promise-metadata')
    }

    async function checkMissing(all: Comparison): Promise<void> {
      let same: Holding[] = []
      const tellSame = async () => { for (const holding of ownAffair(same)) await lost(holding, MISSING[holding.kind as keyof typeof MISSING]) }
      for (const holding of all.missing()) {
        // The blobs were listed before the references were read, and a server may have kept it meanwhile.
        if (await blobs.stat(holding.sha256)) continue
        absent.add(holding.sha256)
        if (same[0]?.sha256 !== holding.sha256) await tellSame()
        same = same[0]?.sha256 === holding.sha256 ? [...same, holding] : [holding]
      }
      await tellSame()
    }

    async function lost(holding: Holding, kind: DamageName): Promise<void> {
      if (!repair) return tell({ kind, name: holding.name, repaired: false })
      const queued = !await blobs.stat(holding.sha256) && await store.mend.lose(holding, clock.now())
      // What nobody makes again is lost, but it is not damaged any more: it is listed nowhere.
      tell({ kind, name: holding.name, repaired: true, ...queued && { detail: 'its job is queued' } })
    }

    async function checkMetadata({ sha256, filename, metadata }: { sha256: string; filename: string; metadata: string }): Promise<void> {
      if (damaged.has(sha256) || absent.has(sha256)) return
      const own = await readMetadata(sha256, filename)
      const kind = damaged.has(metadata) ? 'damaged-wheel-metadata' : absent.has(metadata) ? 'missing-wheel-metadata'
        : own && digestOf(own) !== metadata ? 'wrong-wheel-metadata' : undefined
      if (kind === undefined) return
      if (!own) return lost({ kind: 'wheel-metadata', sha256: metadata, name: filename }, kind)
      await found({ kind, name: filename }, async () => store.mend.setWheelMetadata(filename, await keepBlob(blobs, [own])))
    }
  }

  /** True also for one that is gone by now. */
  async function isRight(sha256: string, read?: (bytes: number) => void): Promise<boolean> {
    const hash = createHash('sha256')
    try {
      for await (const chunk of await blobs.read(sha256)) {
        hash.update(chunk as Buffer)
        read?.((chunk as Buffer).length)
      }
    } catch (error) {
      if (error instanceof MuslinError && error.code === 'no-such-file') return true
      // A sector of the disk that cannot be read.
      if ((error as NodeJS.ErrnoException).code === 'EIO') return false
      throw error
    }
    return hash.digest('hex') === sha256
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
