import { gunzipSync, zstdDecompressSync } from 'node:zlib'

export type Coding = 'identity' | 'gzip' | 'zstd'

/** A body as it was before it was coded. Throws where it did not come in the coding that was asked for: not to offer one is not to have it right. */
export function decoded(sent: Buffer, contentEncoding: string | undefined, coding: Coding): Buffer {
  if ((contentEncoding ?? 'identity') !== coding) throw new Error(`it came in ${contentEncoding ?? 'no coding'} instead of ${coding}`)
  return coding === 'gzip' ? gunzipSync(sent) : coding === 'zstd' ? zstdDecompressSync(sent) : sent
}
