import { Worker } from 'node:worker_threads'
import { MuslinError } from '../errors.ts'
import type { Clock, SideThread } from './ports.ts'

export interface ThreadTask { id: number; module: string; task: unknown }
export type ThreadAnswer = { id: number; result: unknown } | { id: number; error: string }

/** Of a page; more takes a server longer than some milliseconds. */
const BIG_BYTES = 256_000
/** A thread costs a tenth of a second to start, and some 20 MB while it lives. */
const IDLE_MS = 10_000
/** Ten times what the largest pages take: whatever needs more was made to. */
const MEMORY_MB = 512
/** Compiled, this is JavaScript, and so is the thread's file. */
const THREAD = new URL(`./side-thread-entry${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** One thread, started for the first work and ended when there was none for a while. */
export function createSideThread({ clock, thread = THREAD }: { clock: Clock; thread?: URL }): SideThread & { close(): Promise<void> } {
  let running: ReturnType<typeof start> | undefined
  let idle = new AbortController()

  return {
    isFor: (bytes) => bytes > BIG_BYTES,
    async run<Result>(module: string, task: unknown) {
      idle.abort()
      const used = running?.alive() ? running : running = start(thread)
      return await used.run(module, task).finally(() => { if (used.isIdle()) void endLater(used) }) as Result
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
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const thread = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 }, env: {} })
  let asked = 0
  let alive = true
  thread.on('message', (answer: ThreadAnswer) => {
    const asker = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) asker?.reject(new Error(`work in the side thread failed: ${answer.error}`))
    else asker?.resolve(answer.result)
  })
  thread.once('error', gone)
  thread.once('exit', () => gone(alive ? new Error('the side thread ended by itself') : new MuslinError('shutting-down', 'big pages are no longer read')))

  return {
    alive: () => alive,
    isIdle: () => waiting.size === 0,
    run(module: string, task: unknown): Promise<unknown> {
      const answer = Promise.withResolvers<unknown>()
      const id = ++asked
      thread.postMessage({ id, module, task } satisfies ThreadTask)
      waiting.set(id, answer)
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
