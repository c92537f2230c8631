/** Makes pages: small ones at once, big ones in the side thread, so that whoever asks for something else meanwhile does not wait. */
import { makePage, MAKING, type MadePage, type PageTask } from './make-page.ts'
import type { SideThread } from './ports.ts'

export interface PageMaker {
  /** Rejects where the page cannot be made. */
  make(task: PageTask): Promise<MadePage>
}

export function createPageMaker(thread: SideThread): PageMaker {
  return { make: async (task) => thread.isFor(task.json?.byteLength ?? 0) ? thread.run<MadePage>(MAKING, task) : makePage(task) }
}
