import type { BlobStore } from './ports.ts'

/** Stores a stream of bytes as a blob, under `expected` where that is given; on any failure nothing of it stays. */
export async function keepBlob(blobs: BlobStore, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, expected?: string): Promise<string> {
  const draft = await blobs.draft()
  try {
    for await (const chunk of chunks) await draft.write(chunk)
    return (await draft.keep(expected)).sha256
  } catch (error) {
    await draft.discard(error as Error)
    throw error
  }
}
