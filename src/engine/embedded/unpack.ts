/** Wheels of the toolchain: fetched, checked and unpacked. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MuslinError } from '../../errors.ts'
import { EMBEDDED } from './interpreters.ts'
import { runTrusted } from './trusted.ts'
import type { Pinned } from './pins.ts'

/** Opens a pinned wheel, wherever its bytes come from. */
export type OpenWheel = (pinned: Pinned) => Promise<Readable>

/**
 * Unpacks a wheel into an existing folder by a Python of the machine; members that match `unwanted`, a regular expression in Python's
 * words, are left out. Throws `image-unavailable` where the wheel cannot be had or is not the one that is pinned.
 */
export async function unpackPinned(pinned: Pinned, given: { python: string; folder: string; wheel: OpenWheel; unwanted?: string }): Promise<void> {
  const file = `${given.folder}.whl`
  try {
    await fetchPinned(pinned, file, given.wheel)
    await runTrusted(given.python, ['-I', `${EMBEDDED}unpack.py`, file, given.folder, ...(given.unwanted === undefined ? [] : [given.unwanted])])
  } finally {
    await rm(file, { force: true })
  }
}

async function fetchPinned(pinned: Pinned, file: string, wheel: OpenWheel): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      size += chunk.length
      if (size > pinned.size) done(new Error('it is larger than it should be'))
      else done(null, chunk)
    },
  })
  try {
    await pipeline(await wheel(pinned), check, createWriteStream(file))
    if (hash.digest('hex') !== pinned.sha256) throw new Error('its bytes are not those that are pinned')
  } catch (error) {
    const why = error instanceof MuslinError ? error.detail : error instanceof Error ? error.message : String(error)
    throw new MuslinError('image-unavailable', `${pinned.filename} cannot be had from the upstream (${why}): see that the upstream has the project ${pinned.project}`, { cause: error })
  }
}
