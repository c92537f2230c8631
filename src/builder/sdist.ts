/** Reads sdists of strangers: within bounds of entries, bytes, memory and time, and without holding up whatever else this process does. */
import { Worker } from 'node:worker_threads'
import type { Failure } from '../domain/failure.ts'
import { sdistSuffix } from '../domain/filename.ts'
import type { SdistContents } from '../domain/plan-contents.ts'
import { Failed } from './failed.ts'
import { bad, type SdistBounds as ArchiveBounds } from './sdist-tree.ts'

export interface SdistBounds extends ArchiveBounds {
  /** 120 where it is not given: the largest of PyPI takes a tenth of it. */
  seconds?: number
}

export interface ThreadTask { path: string; bounds: ArchiveBounds }
export type ThreadAnswer = { contents: SdistContents } | { failure: Failure } | { error: { message: string; code: string | undefined } }

const SECONDS = 120
/** What a reader needs beyond the bytes that it reads is little; one that takes more is fed by something made for it. */
const MEMORY_MB = 256
/** Compiled, this is JavaScript, and so is the thread's file. */
const THREAD = new URL(`./sdist-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/**
 * What the sdist at `path` holds; the path ends as its file name does (`sdistSuffix`). Throws Failed: `bad-sdist` where it cannot be read or
 * is not to be unpacked, `timed-out`; and the signal's reason.
 */
export async function readSdist(path: string, { seconds = SECONDS, entries, bytes }: SdistBounds, signal?: AbortSignal): Promise<SdistContents> {
  signal?.throwIfAborted()
  const answer = Promise.withResolvers<ThreadAnswer>()
  const thread = new Worker(THREAD, { workerData: { path, bounds: { entries, bytes } } satisfies ThreadTask, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB }, env: {} })
  const late = setTimeout(() => answer.reject(new Failed({ class: 'timed-out', key: `${seconds} s to be read` })), seconds * 1000)
  const stop = () => answer.reject(signal!.reason as Error)
  signal?.addEventListener('abort', stop, { once: true })
  thread.once('message', answer.resolve)
  thread.once('error', (error: NodeJS.ErrnoException) => answer.reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? bad('it takes too much memory to be read') : error))
  thread.once('exit', () => answer.reject(new Error('the thread that reads an sdist ended by itself')))
  try {
    const found = await answer.promise
    if ('contents' in found) return found.contents
    throw 'failure' in found ? new Failed(found.failure) : Object.assign(new Error(found.error.message), { code: found.error.code })
  } finally {
    clearTimeout(late)
    signal?.removeEventListener('abort', stop)
    await thread.terminate()
  }
}

/** The name under which an sdist is stored while it is built: of its own name only the kind is left. */
export function sdistName(filename: string): string {
  return `sdist${sdistSuffix(filename) ?? ''}`
}
