import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import { MuslinError } from '../errors.ts'
import type { BlobDraft } from '../services/ports.ts'
import { diskError } from './disk-error.ts'

/** Bytes a read of who has fallen behind. A hundred readers hold some of them each, and what they wait for is the upstream. */
const CHUNK_BYTES = 64 * 1024
/** So many reads are kept for the others: a hundred who came at once are at about the same place. */
const SHARED_CHUNKS = 32
/** So much of what was written last stays in memory: what is withheld from readers goes out with the next piece, without a look at the disk. */
const RECENT_BYTES = 4096

/** What was written is handed to all who wait for it, unless it is larger. */
const LARGEST_HANDED = 256 * 1024

type Follow = NonNullable<Parameters<BlobDraft['follow']>[0]>

interface Follower { at: number; end: number; withhold: number; stream: Readable }

/** Readers of a file that is being written. `left` is called for each that is over. */
export function createFollowers(file: FileHandle, left: () => Promise<void>): {
  follow(options: Follow): Readable
  /** After these bytes were appended; who has read all before is handed them, one copy for all. */
  wrote(chunk: Uint8Array): void
  /** Nothing more will be written, and all of it is right. */
  end(): void
  cut(reason: Error): void
} {
  const all = new Set<Readable>()
  /** Those that have read all there is for them. */
  const waiting = new Set<Follower>()
  /** What was read last, by its place in the file in chunks; of chunks that are written to their end. */
  const chunks = new LRUCache<number, Promise<Buffer>>({ max: SHARED_CHUNKS })
  let written = 0
  let recent = Buffer.alloc(0)
  let ended = false
  let gone: Error | undefined

  return { follow, wrote, end, cut }

  function follow({ range: { start, end } = { start: 0, end: Infinity }, withhold = 0 }: Follow): Readable {
    const stream = new Readable({
      highWaterMark: CHUNK_BYTES,
      read: () => advance(follower),
      destroy(error, done) {
        all.delete(stream)
        waiting.delete(follower)
        if (all.size === 0) chunks.clear()
        left().then(() => done(error), done)
      },
    })
    const follower: Follower = { at: start, end: end + 1, withhold, stream }
    // A draft may be discarded before the follower has met its consumer, who learns of it all the same.
    stream.on('error', () => {})
    all.add(stream)
    return stream
  }

  function advance(follower: Follower): void {
    waiting.delete(follower)
    const { at, end, stream } = follower
    if (gone) stream.destroy(gone)
    else if (at < available(follower)) void readOn(follower)
    else if (at >= end || (ended && end === Infinity)) stream.push(null)
    else if (ended) stream.destroy(new MuslinError('bad-range', `the file has ${written} bytes; ask for a range within them`))
    else waiting.add(follower)
  }

  function available({ end, withhold }: Follower): number {
    return Math.min(end, ended ? written : written - withhold)
  }

  async function readOn(follower: Follower): Promise<void> {
    const { stream, at } = follower
    try {
      const index = Math.floor(at / CHUNK_BYTES)
      const [from, to] = [index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES]
      const last = available(follower)
      // One alone never comes by again.
      if (to <= written && all.size > 1) hand(follower, (await chunk(index)).subarray(at - from, last - from))
      else hand(follower, await read(at, Math.min(to, last) - at))
    } catch (error) {
      stream.destroy(gone ?? diskError(error))
    }
  }

  function chunk(index: number): Promise<Buffer> {
    const known = chunks.get(index)
    if (known) return known
    const reading = read(index * CHUNK_BYTES, CHUNK_BYTES)
    chunks.set(index, reading)
    // The next reader tries again.
    reading.catch(() => { chunks.delete(index) })
    return reading
  }

  async function read(at: number, size: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(size)
    for (let had = 0; had < size;) {
      const { bytesRead } = await file.read(buffer, had, size - had, at + had)
      if (bytesRead === 0) throw new Error('a draft became shorter while it was read')
      had += bytesRead
    }
    return buffer
  }

  function hand(follower: Follower, bytes: Buffer): void {
    follower.at += bytes.length
    if (!follower.stream.destroyed) follower.stream.push(bytes)
  }

  function wrote(chunk: Uint8Array): void {
    written += chunk.length
    // A copy: whoever writes may use its buffer again.
    const known = Buffer.concat([recent, chunk])
    const base = written - known.length
    for (const follower of [...waiting]) {
      const last = available(follower)
      if (follower.at < base || follower.at >= last || last - follower.at > LARGEST_HANDED) {
        advance(follower)
      } else {
        waiting.delete(follower)
        hand(follower, known.subarray(follower.at - base, last - base))
      }
    }
    recent = Buffer.from(known.subarray(-RECENT_BYTES))
  }

  function end(): void {
    ended = true
    for (const follower of [...waiting]) advance(follower)
  }

  function cut(reason: Error): void {
    gone = reason
    for (const stream of all) stream.destroy(reason)
  }
}
