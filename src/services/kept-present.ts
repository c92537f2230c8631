import type { BlobStore, KeptFile, KeptStore } from './ports.ts'

/** The file that is kept under a path; undefined where there is none, or its bytes are gone and it must be fetched again. */
export async function keptPresent({ kept, blobs }: { kept: KeptStore; blobs: BlobStore }, path: string): Promise<KeptFile | undefined> {
  const known = await kept.get(path)
  return known && await blobs.stat(known.sha256) ? known : undefined
}
