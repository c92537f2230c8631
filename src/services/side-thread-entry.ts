/** The thread: does what it is sent until it is ended. */
import { parentPort } from 'node:worker_threads'
import type { SideWork } from './ports.ts'
import type { ThreadAnswer, ThreadTask } from './side-thread.ts'

const port = parentPort!
port.on('message', (asked: ThreadTask) => void answer(asked))

async function answer({ id, module, task }: ThreadTask): Promise<void> {
  try {
    const { sideWork } = await import(module) as { sideWork: SideWork<unknown, unknown> }
    const { result, moved = [] } = await sideWork(task)
    port.postMessage({ id, result } satisfies ThreadAnswer, moved)
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error.stack ?? error.message : String(error) } satisfies ThreadAnswer)
  }
}
