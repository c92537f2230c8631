/** Tar streams into and out of a process whose other end may be anybody's code. */
import { finished, pipeline } from 'node:stream'
import { pipeline as pipelined } from 'node:stream/promises'
import type { Readable, Writable } from 'node:stream'
import { cap } from '../services/tar.ts'

/** A gigabyte takes seconds; a program in the run that stops the tar beside it must not hold us for ever. */
export const TRANSFER_MS = 10 * 60_000

interface Child<T> extends PromiseLike<T> { stdin: Writable; stdout: Readable; kill(signal: NodeJS.Signals): unknown }

/** Feeds a tar stream to a process, and resolves with its end. Throws the error of a stream that breaks; the process is ended then. */
export async function feed<T>(child: Child<T>, tar: Readable): Promise<T> {
  child.stdout.resume()
  let broken: Error | undefined
  finished(tar, { writable: false }, (error) => {
    // A tar that ends early closes its standard input, which destroys the source: its exit code tells why.
    if (!error || child.stdin.destroyed) return
    broken = error
    child.kill('SIGKILL')
  })
  await Promise.allSettled([pipelined(tar, child.stdin)])
  const ended = await child
  if (broken) throw broken
  return ended
}

/** What a process writes, `maxBytes` at most. The stream ends once `judge`, given the end of the process, threw nothing. */
export function drain<T>(child: Child<T>, maxBytes: number, judge: (ended: T) => Promise<void>): Readable {
  const capped = cap(maxBytes, async () => judge(await child))
  pipeline(child.stdout, capped, (error) => { if (error) child.kill('SIGKILL') })
  return capped
}
