import type { Context } from './context.ts'
import { Ending, EXIT } from './ending.ts'

/**
 * Runs work that somebody may leave by Ctrl-C, while what they asked for goes on at the server: `goesOn` says so. A second signal
 * ends the process at once.
 */
export async function untilInterrupted<T>(context: Context, goesOn: () => string[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const left = new AbortController()
  const close = context.onSignal(() => {
    if (left.signal.aborted) context.exit(EXIT.interrupted)
    left.abort(new Ending(EXIT.interrupted))
  })
  try {
    return await work(left.signal)
  } catch (error) {
    if (left.signal.aborted) for (const line of goesOn()) context.warn(line)
    throw left.signal.aborted ? left.signal.reason : error
  } finally {
    close()
  }
}
