import { MuslinError } from '../errors.ts'
import type { JobView } from '../services/views.ts'
import type { Context } from './context.ts'

/** Changes each job: one that refuses keeps none of the others from it. The first refusal is answered, for the caller to throw; further ones are told. */
export async function changeJobs(ids: number[], change: (id: number) => Promise<JobView>, context: Context): Promise<{ changed: JobView[]; refusal: MuslinError | undefined }> {
  const changed: JobView[] = []
  let refusal: MuslinError | undefined
  for (const id of new Set(ids)) {
    try {
      changed.push(await change(id))
    } catch (error) {
      if (!(error instanceof MuslinError)) throw error
      if (refusal) context.warn(`muslin: ${error.message}`)
      refusal ??= error
    }
  }
  return { changed, refusal }
}
