/** The thread that works on big pages: makes one after the other until it is ended. */
import { parentPort } from 'node:worker_threads'
import { makePage } from './make-page.ts'
import type { ThreadAnswer, ThreadTask } from './page-maker.ts'

parentPort!.on('message', ({ id, page }: ThreadTask) => {
  const answer = answerTo(id, page)
  // Moved, not copied: `makePage` gives bytes that have their memory to themselves.
  parentPort!.postMessage(answer, 'made' in answer ? [answer.made.body.buffer as ArrayBuffer] : [])
})

function answerTo(id: number, page: ThreadTask['page']): ThreadAnswer {
  try {
    return { id, made: makePage(page) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.stack ?? error.message : String(error) }
  }
}
