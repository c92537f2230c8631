/** A file's bytes: the block over and over, `size` in all. */
export interface Bytes {
  block: Buffer
  size: number
}

/** Its pieces from one offset to another (not included), as they lie in memory. */
export function* pieces({ block }: Bytes, from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to;) {
    const start = at % block.length
    const piece = block.subarray(start, Math.min(start + to - at, block.length))
    yield piece
    at += piece.length
  }
}

/** Compares what comes in with what is right, piece by piece: far cheaper for the client than a digest a download. */
export function comparer(bytes: Bytes): { next(piece: Buffer): void; right(): boolean } {
  let at = 0
  let right = true
  return {
    next(piece) {
      let offset = 0
      for (const part of pieces(bytes, at, Math.min(at + piece.length, bytes.size))) {
        right &&= part.compare(piece, offset, offset + part.length) === 0
        offset += part.length
      }
      right &&= offset === piece.length
      at += piece.length
    },
    right: () => right && at === bytes.size,
  }
}
