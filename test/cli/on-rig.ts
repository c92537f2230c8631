/** Commands on the real server of a rig, whose time and worker are the test's. */
import type { Context } from '../../src/cli/context.ts'
import type { ClaimedJob, JobKind } from '../../src/domain/job.ts'
import { run } from '../../src/main.ts'
import { ADMIN_TOKEN, type Rig } from '../http/rig.ts'
import { testContext } from './context.ts'

export interface Run { out: string[]; err: string[]; exit: Promise<number> }

/** Starts a command; the server's time goes on until it has ended. */
export function startOn(rig: Rig, words: string[], parts: Partial<Context> = {}): Run {
  const context = testContext({ env: { MUSLIN_SERVER: rig.url, MUSLIN_TOKEN: ADMIN_TOKEN }, ...parts })
  let ended = false
  const exit = run(words, context).finally(() => { ended = true })
  void (async () => {
    while (!ended) {
      await rig.clock.advance(500)
      await rig.ready()
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  return { out: context.printed, err: context.warned, exit }
}

/** The next job, as soon as it is there. */
export async function claimOn(rig: Rig, kind: JobKind = 'build'): Promise<ClaimedJob> {
  for (;;) {
    const job = await rig.claim(kind).catch(() => undefined)
    if (job) return job
    await new Promise((resolve) => setImmediate(resolve))
  }
}
