import { Transform, type Readable } from 'node:stream'
import { MuslinError } from '../errors.ts'
import type { OpenFile } from './open-file.ts'
import type { Upstream, UpstreamFile } from './ports.ts'
import type { Transfer } from './transfer.ts'

/** A part up to here is asked from the upstream by itself; a longer one is worth the whole file. */
const PART_BYTES = 8 * 1024 * 1024

/**
 * A recorded file that is not here yet. Read whole, or from any byte to its end, it is fetched into the blobs, once for all who read, and
 * ends only once its digest was found right. A small part of it, as uv reads a wheel's end, comes as soon as it can: out of the transfer that
 * is under way, or by a question of its own to the upstream, of which nothing is kept. Nobody can check a part, so it is marked.
 */
export function coldFile(file: UpstreamFile, { upstream, told, find, fly, running }: {
  upstream: Upstream
  /** The size, as the upstream told it lately. */
  told: { get(): number | undefined; set(size: number): unknown }
  /** The file, where it is here by now. */
  find: () => Promise<OpenFile | undefined>
  fly: () => Transfer
  running: () => Transfer | undefined
}): OpenFile {
  const { sha256, filename, url, source } = file
  return { sha256, size: file.size, measure, read }

  async function measure(): Promise<number | undefined> {
    const transfer = running()
    const known = file.size ?? told.get()
    if (known !== undefined) return known
    if (transfer) return (await transfer.started()).size
    // The smallest question whose answer tells the whole's size, from servers that know no ranges too.
    const { body, size } = await upstream.file(url, { source, from: 0, to: 0 })
    body.destroy()
    if (size !== undefined) told.set(size)
    return size
  }

  async function read(range?: { start: number; end: number }): Promise<{ body: Readable; length: number | undefined; unchecked?: boolean }> {
    const size = range && await measure()
    const part = range && (range.start > 0 || range.end + 1 !== size) ? range : undefined
    if (part && !isHere(part)) {
      const body = part.end - part.start < PART_BYTES ? await fetchPart(part, size) : undefined
      if (body) return { body, length: part.end - part.start + 1, unchecked: true }
    }
    // A transfer may have ended since this file was looked for.
    const here = running() ? undefined : await find()
    if (here) return readHere(here, range, size)
    const transfer = fly()
    const { size: length, read: readOn } = await transfer.started()
    if (range && length === undefined) {
      await transfer.finished
      return readHere(await find(), range, size)
    }
    if (range) expectSize(length, size)
    if (!part) return { body: readOn({ gated: true }), length }
    // What ends where the file ends waits for the digest, which is not much longer than for its last byte.
    const gated = part.end + 1 === length
    return { body: readOn({ range: part, gated }), length: part.end - part.start + 1, unchecked: !gated }
  }

  function readHere(here: OpenFile | undefined, range: { start: number; end: number } | undefined, size: number | undefined): ReturnType<typeof read> {
    if (!here) throw new MuslinError('internal', `${filename} went away while it was read; ask for it again`)
    if (range) expectSize(here.size, size)
    return here.read(range)
  }

  /** The range was asked for of a file of this size, and the answer would tell it. */
  function expectSize(real: number | undefined, size: number | undefined): void {
    if (real === size) return
    if (real !== undefined) told.set(real)
    throw new MuslinError('upstream-bad-answer', `${filename} has ${real} bytes, and not ${size} as was said before; ask again`)
  }

  function isHere(part: { end: number }): boolean {
    return (running()?.written() ?? 0) > part.end
  }

  /** Undefined where the upstream has no ranges. */
  async function fetchPart({ start, end }: { start: number; end: number }, size: number | undefined): Promise<Readable | undefined> {
    const answer = await upstream.file(url, { source, from: start, to: end })
    if (answer.partial && (answer.size ?? size) === size) return exactly(answer.body, end - start + 1, filename)
    answer.body.destroy()
    if (answer.partial) expectSize(answer.size, size)
    return undefined
  }
}

/** The same bytes, or an error where they are more or fewer: a client that was told how many would wait for the rest for ever. */
function exactly(source: Readable, length: number, filename: string): Readable {
  const wrong = () => new MuslinError('upstream-bad-answer', `the upstream sent more or less of ${filename} than it was asked for; try again`)
  let left = length
  const gate = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      done(left < 0 ? wrong() : null, chunk)
    },
    flush: (done) => done(left === 0 ? null : wrong()),
  })
  source.once('error', (error) => gate.destroy(error))
  gate.once('close', () => source.destroy())
  return source.pipe(gate)
}
