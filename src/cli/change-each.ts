import { MuslinError } from '../errors.ts'
import type { Context } from './context.ts'

/** Changes each: one that refuses keeps none of the others from it. The first refusal is answered, for the caller to throw; further ones are told. */
export async function changeEach<Name, Changed>(names: Name[], change: (name: Name) => Promise<Changed>, context: Context): Promise<{ changed: Changed[]; refusal: MuslinError | undefined }> {
  const changed: Changed[] = []
  let refusal: MuslinError | undefined
  for (const name of new Set(names)) {
    try {
      changed.push(await change(name))
    } catch (error) {
      if (!(error instanceof MuslinError)) throw error
      if (refusal) context.warn(`muslin: ${error.message}`)
      refusal ??= error
    }
  }
  return { changed, refusal }
}
