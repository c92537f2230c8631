import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { MuslinError } from '../errors.ts'
import type { BlobDraft } from '../services/ports.ts'
import { diskError } from './disk-error.ts'

/** Bytes a read: measured faster than the 64 KiB that streams take by themselves, and still flat for many readers. */
export const CHUNK_BYTES = 1024 * 1024

/**
 * Opens a temporary file at `path` to write to. `publish` moves it to its final place, whose path it returns. Readers share the
 * writer's descriptor, which stays valid when the file is renamed or unlinked under them.
 */
export async function openDraft({ path, publish }: { path: string; publish: (sha256: string) => Promise<string> }): Promise<BlobDraft> {
  const file = await open(path, 'w+', 0o600).catch((error: unknown) => { throw diskError(error) })
  const hash = createHash('sha256')
  const followers = new Set<Readable>()
  /** Followers that have read all there is. */
  const waiting = new Set<() => void>()
  let written = 0
  let appended: Promise<void> = Promise.resolve()
  let kept: Promise<{ sha256: string; size: number }> | undefined
  let place: string | undefined
  let gone: Error | undefined
  let users = 1

  async function write(chunk: Uint8Array): Promise<void> {
    if (kept) throw new MuslinError('internal', 'a kept draft was written to')
    // One after the other, so that a caller who does not wait gets its bytes in order all the same.
    appended = appended.then(() => append(chunk))
    appended.catch(() => {})
    await appended
  }

  async function append(chunk: Uint8Array): Promise<void> {
    if (gone) throw gone
    try {
      for (let done = 0; done < chunk.length;) {
        done += (await file.write(chunk, done, chunk.length - done, written + done)).bytesWritten
      }
    } catch (error) {
      // What was written is of no use any more, and on a full disk its room is needed.
      const reason = gone ?? diskError(error)
      await drop(reason)
      throw reason
    }
    hash.update(chunk)
    written += chunk.length
    wake()
  }

  function follow(): Readable {
    if (place) return createReadStream(place, { highWaterMark: CHUNK_BYTES })
    let at = 0
    const stream = new Readable({
      highWaterMark: CHUNK_BYTES,
      read: advance,
      destroy(error, done) {
        followers.delete(stream)
        waiting.delete(advance)
        release().then(() => done(error), done)
      },
    })
    function advance(): void {
      waiting.delete(advance)
      if (gone) stream.destroy(gone)
      else if (at < written) void readOn()
      else if (place) stream.push(null)
      else waiting.add(advance)
    }
    async function readOn(): Promise<void> {
      try {
        const size = Math.min(CHUNK_BYTES, written - at)
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
        if (bytesRead === 0) throw new Error('a draft became shorter while it was read')
        at += bytesRead
        if (!stream.destroyed) stream.push(buffer.subarray(0, bytesRead))
      } catch (error) {
        stream.destroy(gone ?? diskError(error))
      }
    }
    // A draft may be discarded before the follower has met its consumer, who learns of it all the same.
    stream.on('error', () => {})
    users += 1
    followers.add(stream)
    return stream
  }

  function keep(expected?: string): Promise<{ sha256: string; size: number }> {
    kept ??= finish(expected)
    return kept
  }

  async function finish(expected: string | undefined): Promise<{ sha256: string; size: number }> {
    await appended
    if (gone) throw gone
    const sha256 = hash.digest('hex')
    try {
      if (expected !== undefined && expected !== sha256) {
        throw new MuslinError('digest-mismatch', `sha256 ${expected} was promised, the bytes have ${sha256}; nothing of them was kept`)
      }
      await file.sync()
      place = await publish(sha256)
    } catch (error) {
      const reason = diskError(error)
      await drop(reason)
      throw reason
    }
    wake()
    await release()
    return { sha256, size: written }
  }

  async function discard(reason?: Error): Promise<void> {
    // A keep under way wins: whoever cleans up afterwards may always discard.
    if (kept) await kept.catch(() => {})
    else await drop(reason ?? new MuslinError('internal', 'the bytes were discarded before they were whole'))
  }

  async function drop(reason: Error): Promise<void> {
    if (gone || place) return
    gone = reason
    for (const stream of followers) stream.destroy(reason)
    await rm(path, { force: true })
    await release()
  }

  function wake(): void {
    for (const advance of [...waiting]) advance()
  }

  async function release(): Promise<void> {
    users -= 1
    if (users === 0) await file.close()
  }

  return { write, follow, keep, discard }
}
