import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { MuslinError } from '../errors.ts'
import type { BlobDraft } from '../services/ports.ts'
import { diskError } from './disk-error.ts'
import { createFollowers } from './followers.ts'

/**
 * Opens a temporary file at `path` to write to. `publish` moves it to its final place, whose path it returns. Readers share the writer's descriptor, which
 * stays valid when the file is renamed or unlinked under them.
 */
export async function openDraft({ path, publish }: { path: string; publish: (sha256: string) => Promise<string> }): Promise<BlobDraft> {
  const file = await open(path, 'w+', 0o600).catch((error: unknown) => { throw diskError(error) })
  const hash = createHash('sha256')
  const followers = createFollowers(file, release)
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
    followers.wrote(chunk)
  }

  function follow(options: Parameters<BlobDraft['follow']>[0] = {}): Readable {
    if (place !== undefined) return createReadStream(place, options.range)
    users += 1
    return followers.follow(options)
  }

  async function sha256(): Promise<string> {
    await appended
    return hash.copy().digest('hex')
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
    followers.end()
    await release()
    return { sha256, size: written }
  }

  async function discard(reason?: Error): Promise<void> {
    // A keep under way wins: whoever cleans up afterwards may always discard.
    if (kept) await kept.catch(() => {})
    else await drop(reason ?? new MuslinError('internal', 'the bytes were discarded before they were whole'))
  }

  async function drop(reason: Error): Promise<void> {
    if (gone || place !== undefined) return
    gone = reason
    followers.cut(reason)
    await rm(path, { force: true })
    await release()
  }

  async function release(): Promise<void> {
    users -= 1
    if (users === 0) await file.close()
  }

  return { write, follow, sha256, keep, discard }
}
