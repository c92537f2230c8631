/** The service of files over a real upstream client, and the index that it asks. */
import { createFiles, type Files } from '../../src/services/files.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'
import { type SyntheticUpstream, syntheticUpstream } from '../synthetic-upstream.ts'
import { type Bench, makeBench, silent } from './bench.ts'

export interface FilesBench {
  bench: Bench
  index: SyntheticUpstream
  upstream: Upstream
  files: Files
  close(): Promise<void>
}

export async function makeFilesBench(): Promise<FilesBench> {
  const bench = await makeBench()
  const index = await syntheticUpstream()
  const upstream = createUpstream({ url: index.url, instance: 'this-one', log: silent, clock: bench.clock })
  const files = createFiles({ ...bench, upstream, log: silent })
  return {
    bench, index, upstream, files,
    async close() {
      await files.close()
      await upstream.close()
      await index.close()
      await bench.close()
    },
  }
}
