/** The thread that reads one sdist: gets a path and bounds, posts what it found and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { Failed } from './failed.ts'
import type { ThreadAnswer, ThreadTask } from './sdist.ts'
import { readArchive } from './sdist-read.ts'

const { path, bounds } = workerData as ThreadTask
parentPort!.postMessage(await answer())

async function answer(): Promise<ThreadAnswer> {
  try {
    return { contents: await readArchive(path, bounds) }
  } catch (error) {
    if (error instanceof Failed) return { failure: error.failure }
    // A copy of an error that is posted has no code.
    const { message, code } = error as NodeJS.ErrnoException
    return { error: { message, code } }
  }
}
