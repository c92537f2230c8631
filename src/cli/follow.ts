import { stripVTControlCharacters } from 'node:util'
import { terminalCleaner } from '../domain/clean.ts'
import type { JobView } from '../services/views.ts'
import type { StreamEvent } from './event-stream.ts'
import { count } from './format.ts'
import { isOutage, lookUntil, patiently, type Waiting } from './patience.ts'

export interface Follow extends Waiting {
  /** Lines of the log. */
  print: (lines: string) => void
  /** What is told beside it. */
  note: (line: string) => void
  /** Whether the log's colours are printed. */
  colours: boolean
}

const ENDED: readonly JobView['state'][] = ['built', 'failed', 'cancelled']
const RETRY_MS = 1_000
const MOST_RETRIES = 60

export function hasEnded({ state }: JobView): boolean {
  return ENDED.includes(state)
}

/**
 * Prints a job's log from the first line on as it grows, until the job ends; of a job that has ended, its newest run's. When a worker
 * gave it back, the log of its next run follows. Answers how it ended; throws the signal's reason.
 */
export async function followJob(id: number, follow: Follow): Promise<JobView> {
  const { api, note, signal } = follow
  let shown: number | undefined
  let told: string | undefined
  return lookUntil(follow, async () => {
    let job = await patiently(() => api.job(id, signal), follow)
    // A queued job's build is an earlier run.
    if (job.state !== 'queued' && job.build !== null && job.build !== shown) {
      if (shown !== undefined) note(`run ${job.build} of job ${id}:`)
      shown = job.build
      await printLog(job.build, follow)
      job = await patiently(() => api.job(id, signal), follow)
    }
    if (hasEnded(job)) return job
    const waits = waitsOf(job)
    if (waits !== undefined && waits !== told) note(`job ${id} waits${waits}`)
    told = waits
    return undefined
  })
}

function waitsOf({ state, ahead, waitsFor, paused }: JobView): string | undefined {
  if (state !== 'queued') return undefined
  if (paused !== null) return `: ${paused}`
  if (waitsFor.length > 0) return ` for ${waitsFor.map(({ project, version, job }) => `${project} ${version} (job ${job})`).join(', ')}`
  return ahead === null ? undefined : `: ${ahead === 0 ? 'it is next' : `${count(ahead, 'job')} before it`}`
}

/** A log to its end, however often the connection is cut meanwhile. */
async function printLog(build: number, { api, clock, signal, print, colours }: Follow): Promise<void> {
  const lines = linePrinter(print, colours)
  let after: string | undefined
  let retries = 0
  try {
    for (;;) {
      try {
        for await (const event of await api.log(build, { after, signal })) {
          if (event.event === 'end') return
          retries = 0
          after = event.id ?? after
          lines.write(textOf(event))
        }
      } catch (error) {
        if (signal.aborted || !isOutage(error) || retries >= MOST_RETRIES) throw error
      }
      retries += 1
      await clock.sleep(RETRY_MS, signal)
    }
  } finally {
    lines.end()
  }
}

function textOf({ data }: StreamEvent): string {
  try {
    const { text } = JSON.parse(data) as { text?: unknown }
    return typeof text === 'string' ? text : ''
  } catch {
    return ''
  }
}

/** Prints whole lines of text that comes in pieces, cleaned once more: the server is cleaner than what stands between it and us. */
function linePrinter(print: (lines: string) => void, colours: boolean): { write(text: string): void; end(): void } {
  const clean = terminalCleaner()
  let rest = ''
  const show = (text: string): void => print(colours ? `${text}${text.includes('\x1b') ? '\x1b[0m' : ''}` : stripVTControlCharacters(text))
  return {
    write(text) {
      rest += clean(text)
      const cut = rest.lastIndexOf('\n')
      if (cut < 0) return
      show(rest.slice(0, cut))
      rest = rest.slice(cut + 1)
    },
    end() {
      if (rest !== '') show(rest)
      rest = ''
    },
  }
}
