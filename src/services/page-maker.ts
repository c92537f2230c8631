/** Makes pages: small ones at once, big ones in a thread, so that whoever asks for something else meanwhile does not wait. */
import { Worker } from 'node:worker_threads'
import { BIG_BYTES, makePage, type MadePage, type PageTask } from './make-page.ts'
import type { Clock } from './ports.ts'

export interface PageMaker {
  /** Rejects where the page cannot be made: its thread is ended then, and the next page has another. */
  make(task: PageTask): Promise<MadePage>
  close(): Promise<void>
}

export interface ThreadTask { id: number; page: PageTask }
export type ThreadAnswer = { id: number; made: MadePage } | { id: number; error: string }

/** A thread costs a tenth of a second to start, and some 20 MB while it lives. */
const IDLE_MS = 10_000
/** Ten times what the largest pages take: whatever needs more was made to. */
const MEMORY_MB = 512
/** Compiled, this is JavaScript, and so is the thread's file. */
const THREAD = new URL(`./page-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** One thread, started for the first big page and ended when there was none for a while. */
export function createPageMaker({ clock, thread = THREAD }: { clock: Clock; thread?: URL }): PageMaker {
  let running: ReturnType<typeof start> | undefined
  let idle = new AbortController()

  return {
    async make(task) {
      if ((task.json?.byteLength ?? 0) <= BIG_BYTES) return makePage(task)
      idle.abort()
      const used = running?.alive() ? running : running = start(thread)
      return used.make(task).finally(() => { if (used.isIdle()) void endLater(used) })
    },
    async close() {
      idle.abort()
      await running?.end()
    },
  }

  async function endLater(used: ReturnType<typeof start>): Promise<void> {
    idle.abort()
    idle = new AbortController()
    const over = await clock.sleep(IDLE_MS, idle.signal).then(() => true, () => false)
    if (over) await used.end()
  }
}

function start(file: URL) {
  const waiting = new Map<number, PromiseWithResolvers<MadePage>>()
  const thread = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 }, env: {} })
  let asked = 0
  let alive = true
  // Whoever waits for a page holds the process, not the thread.
  thread.unref()
  thread.on('message', (answer: ThreadAnswer) => {
    const asker = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('made' in answer) asker?.resolve(answer.made)
    else asker?.reject(new Error(`a page could not be made: ${answer.error}`))
  })
  thread.once('error', gone)
  thread.once('exit', () => gone(new Error('the thread that makes pages ended by itself')))

  return {
    alive: () => alive,
    isIdle: () => waiting.size === 0,
    make(page: PageTask): Promise<MadePage> {
      const answer = Promise.withResolvers<MadePage>()
      waiting.set(++asked, answer)
      thread.postMessage({ id: asked, page } satisfies ThreadTask)
      return answer.promise
    },
    async end() {
      alive = false
      await thread.terminate()
    },
  }

  function gone(error: unknown): void {
    alive = false
    for (const asker of waiting.values()) asker.reject(error)
    waiting.clear()
  }
}
