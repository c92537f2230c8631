/** A bench with an upstream: what people order and look at stands on both. */
import { createUpstreamPages, type UpstreamPages } from '../../src/services/upstream-pages.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { type SyntheticFile, type SyntheticUpstream, syntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, makeBench, silent } from './bench.ts'

export interface IndexBench extends Bench {
  upstream: SyntheticUpstream
  upstreamPages: UpstreamPages
}

export async function makeIndexBench(): Promise<IndexBench> {
  const bench = await makeBench()
  const synthetic = await syntheticUpstream()
  const upstream = createUpstream({ url: synthetic.url, instance: 'this-one', log: silent, clock: bench.clock })
  return {
    ...bench,
    upstream: synthetic,
    upstreamPages: createUpstreamPages({ store: bench.store, upstream, clock: bench.clock, log: silent, freshness: 60 }),
    async close() {
      await upstream.close()
      await synthetic.close()
      await bench.close()
    },
  }
}

/** A file by its name alone; its bytes are its name. */
export function file(filename: string, keys: Record<string, unknown> = {}): SyntheticFile {
  return { filename, bytes: Buffer.from(filename), keys }
}
