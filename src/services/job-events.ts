import type { Job } from '../domain/job.ts'
import type { JobStore } from './ports.ts'

export interface JobEvents {
  /**
   * The job as soon as it is built, failed or cancelled, whichever process finished it. Rejects with the signal's reason when
   * it aborts.
   */
  settled(id: number, signal: AbortSignal): Promise<Job>
}

interface Waiter { settle: (job: Job) => void; fail: (error: unknown) => void }

/** Waiting for jobs: one watcher of the job table serves every held request, and a job with a thousand waiters is read once. */
export function createJobEvents({ jobs }: { jobs: JobStore }): JobEvents {
  const waiting = new Map<number, Set<Waiter>>()
  let stop: (() => void) | undefined
  let checking = false
  let again = false

  return {
    settled(id, signal) {
      return new Promise<Job>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const waiter: Waiter = {
          settle: (job) => { leave(); resolve(job) },
          fail: (error) => { leave(); reject(error) },
        }
        const aborted = () => waiter.fail(signal.reason)
        const leave = () => {
          signal.removeEventListener('abort', aborted)
          const others = waiting.get(id)
          others?.delete(waiter)
          if (others?.size === 0) waiting.delete(id)
          if (waiting.size === 0) { stop?.(); stop = undefined }
        }
        signal.addEventListener('abort', aborted, { once: true })
        waiting.set(id, (waiting.get(id) ?? new Set()).add(waiter))
        stop ??= jobs.watch(check)
        check()
      })
    },
  }

  // A change that comes while the table is being read may have been missed: it is read once more.
  function check(): void {
    again = true
    if (checking) return
    checking = true
    void (async () => {
      while (again) {
        again = false
        for (const id of [...waiting.keys()]) await look(id)
      }
      checking = false
    })()
  }

  async function look(id: number): Promise<void> {
    const found = await jobs.get(id).then((job) => ({ job }), (error: unknown) => ({ error }))
    for (const waiter of [...waiting.get(id) ?? []]) {
      if ('error' in found) waiter.fail(found.error)
      else if (found.job === undefined) waiter.fail(new Error(`job ${id} is gone`))
      else if (isSettled(found.job)) waiter.settle(found.job)
    }
  }
}

/** No run is under way or waited for. */
export function isSettled(job: Job): boolean {
  return job.state === 'built' || job.state === 'failed' || job.state === 'cancelled'
}
