import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { terminalCleaner } from '../domain/clean.ts'
import type { LogSink } from '../services/ports.ts'

/**
 * Writes one log: its first `half` bytes to `head`, all further ones to files of `half` bytes in the folder `tail`, each named
 * by the offset it begins at, of which the last two stay. So the last `half` bytes are there at any moment and need no repair after a kill.
 *
 * Bytes are written at once and in place: what a killed process had written is readable. `failed` hears of the first error;
 * then nothing more is written, and the build goes on without its log.
 */
export function openSink(place: { head: string; tail: string; half: number; failed: (error: unknown) => void }): LogSink {
  mkdirSync(dirname(place.head), { recursive: true, mode: 0o700 })
  rmSync(place.tail, { recursive: true, force: true })
  let file: number | undefined = openSync(place.head, 'w', 0o600)
  let total = 0
  let room = place.half
  let clean = terminalCleaner()
  let decoder = new StringDecoder()

  function append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length && file !== undefined;) {
      if (room === 0) turn()
      const written = writeSync(file, bytes, done, Math.min(room, bytes.length - done))
      done += written
      total += written
      room -= written
    }
  }

  function turn(): void {
    close()
    mkdirSync(place.tail, { recursive: true, mode: 0o700 })
    file = openSync(join(place.tail, String(total)), 'w', 0o600)
    room = place.half
    for (const name of segmentsIn(readdirSync(place.tail)).slice(0, -2)) rmSync(join(place.tail, String(name)))
  }

  // Bytes are what a build says, text is our own words: a sequence that the build began must not swallow them.
  function cleaned(chunk: Uint8Array | string): string {
    if (typeof chunk !== 'string') return clean(decoder.write(chunk))
    clean = terminalCleaner()
    decoder = new StringDecoder()
    return clean(chunk)
  }

  function close(): void {
    if (file !== undefined) closeSync(file)
    file = undefined
  }

  return {
    write(chunk) {
      try {
        append(Buffer.from(cleaned(chunk)))
      } catch (error) {
        close()
        place.failed(error)
      }
    },
    async close() {
      close()
    },
  }
}

/** The offsets of a tail's files, in order. */
export function segmentsIn(names: string[]): number[] {
  return names.map(Number).sort((a, b) => a - b)
}
