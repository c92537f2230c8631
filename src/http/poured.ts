import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { BlobReader } from '../services/ports.ts'

// Without WebSocket and all that stands behind it, which an import of `node:http` loads.
const { ServerResponse: Response } = process.getBuiltinModule('node:http')

/** Bytes a read. Larger ones are hardly faster; each answer under way holds two. */
const CHUNK_BYTES = 256 * 1024

/**
 * Bytes `start` to `end`, both included, of a stored file, as a body. Piped to an answer they go through two buffers that are used again
 * and again, one being filled while the other is sent: as much as a stream of new buffers for each piece costs, without the memory, at two
 * thirds of the time. A response says when it has let go of a buffer; of other streams nobody knows, so they get bytes of their own.
 */
export function poured(reader: BlobReader, { start, end }: { start: number; end: number }): Readable {
  let at = start
  const stream = new Readable({
    read() { void fill(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end + 1 - at))).then((bytes) => { if (bytes) stream.push(bytes) }).then(endAtLast) },
    // It waits for a read that is under way.
    destroy(error, done) { reader.close().then(() => done(error), done) },
  })
  const pipe = stream.pipe.bind(stream)
  stream.pipe = (to, options) => {
    if (!(to instanceof Response)) return pipe(to, options)
    void pour(to)
    return to
  }
  return stream

  async function pour(to: ServerResponse): Promise<void> {
    const most = Math.min(CHUNK_BYTES, end + 1 - start)
    let sent: Promise<void> | undefined
    let filled: Buffer = Buffer.allocUnsafeSlow(most)
    let other: Buffer | undefined
    while (at <= end && !stream.destroyed) {
      const bytes = await fill(filled.subarray(0, end + 1 - at))
      await sent
      if (!bytes || stream.destroyed) return
      // The callback of a write is not called where the connection has gone: then the stream is destroyed, and nobody waits any more.
      sent = new Promise((resolve) => to.write(bytes, () => resolve()))
      const next = other ?? (at <= end ? Buffer.allocUnsafeSlow(most) : filled)
      other = filled
      filled = next
    }
    await sent
    stream.push(null)
    stream.resume()
  }

  /** The next bytes, in this buffer; undefined where the stream broke. */
  async function fill(buffer: Buffer): Promise<Buffer | undefined> {
    try {
      const length = buffer.length === 0 ? 0 : await reader.read(buffer, at)
      if (length === 0 && at <= end) throw new Error('a stored file became shorter while it was sent')
      at += length
      return buffer.subarray(0, length)
    } catch (error) {
      stream.destroy(error as Error)
      return undefined
    }
  }

  function endAtLast(): void {
    if (at > end && !stream.destroyed) stream.push(null)
  }
}
