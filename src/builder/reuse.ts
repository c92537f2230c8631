/** A result of another target, given a new tag: it is checked and tried as if it had been built here. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseWheelFilename } from '../domain/filename.ts'
import type { Recipe } from '../domain/recipe.ts'
import { wheelFits } from '../domain/tags.ts'
import type { Built, KeptResult, WheelSystem } from '../services/ports.ts'
import { Failed } from './failed.ts'
import { finish, type Finishing } from './finish.ts'
import type { Session } from './session.ts'
import { WheelError } from './wheel-file.ts'

/** The finished wheel; undefined where there is no result, or where it does not do here: then it is to be built. */
export async function reuse(session: Session, given: Omit<Finishing, 'system' | 'sbom'>): Promise<Omit<Built, 'learnt'> | undefined> {
  const { result, scratch } = session.work
  const named = result && parseWheelFilename(result.filename)
  const system = result && systemToday(result, session.work.recipe)
  if (!result || !named || !system || !wheelFits(named, given.target)) return undefined
  session.say(`${result.filename} of build ${result.build} fits this target too: it is tried before anything is compiled`)
  const path = join(scratch, 'result.whl')
  try {
    await session.guard(pipeline(await session.guard(result.open()), createWriteStream(path), { signal: session.signal }))
    const wheel = { path, filename: result.filename, size: result.size, sha256: result.sha256 }
    // Never what the wheel itself tells: strangers made it, and may have put another such file beside ours.
    const built = await finish(session, wheel, { ...given, ...system, sbom: undefined })
    session.record['result'] = identity(result)
    // It is kept already.
    return { ...built, reusable: undefined }
  } catch (error) {
    if (session.signal.aborted || !(error instanceof Failed || error instanceof WheelError)) throw error
    session.say(`it does not do here (${error.message}): it is built`)
    session.record['result'] = { ...identity(result), refused: error.message }
    for (const name of ['wheel', 'reusable']) await rm(join(scratch, name), { recursive: true, force: true })
    return undefined
  }
}

/**
 * What the result has from its system and wants of its users', by the recipe of today, which may name more of that than the one that it was
 * built by; undefined where nothing is known of the system that this would be said of.
 */
export function systemToday({ system }: Pick<KeptResult, 'system'>, { runtimeApks }: Pick<Recipe, 'runtimeApks'>): { system: WheelSystem | undefined } | undefined {
  if (!system) return runtimeApks.length > 0 ? undefined : { system }
  return { system: { ...system, runtime: [...new Set([...system.runtime, ...runtimeApks])].sort() } }
}

function identity({ filename, sha256, build }: KeptResult) {
  return { filename, sha256, build }
}
