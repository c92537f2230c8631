/** The beginning of a job: its sdist on the server, read, and the images that it is built and tried in. */
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cleanLine } from '../domain/clean.ts'
import { LANGUAGES } from '../domain/languages.ts'
import { planBuild, refusedFor } from '../domain/plan.ts'
import { parseTarget, type Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { Source } from './conditions.ts'
import { Failed } from './failed.ts'
import type { Images, ReadyPair } from './images.ts'
import { readSdist, sdistName } from './sdist.ts'
import type { Session } from './session.ts'

/** No sdist that anybody builds comes near it, and reading so many headers takes a second. */
const MAX_ENTRIES = 200_000

/** The sdist's plan, as its recipe changes it. Throws Failed for what cannot be built, or shall not. */
export async function planSdist(session: Session, images: Images): Promise<Source> {
  await session.step('plan')
  const { work } = session
  if (work.recipe.skip !== undefined) throw new Failed({ class: 'skipped', key: cleanLine(work.recipe.skip) })
  const target = targetOf(session)
  const path = join(work.scratch, sdistName(work.job.sdist.filename))
  // An upstream that lets its bytes trickle would hold the slot, and is not the project's fault.
  const arrived = session.startDeadline({ class: 'infrastructure', key: `its sdist did not arrive within ${session.limits.time} s` })
  await session.guard(pipeline(await open(session), createWriteStream(path), { signal: session.signal }))
  arrived()
  const contents = await session.guard(readSdist(path, { entries: MAX_ENTRIES, bytes: session.limits.disk }, session.signal))
  const planned = planBuild(contents, work.job, work.recipe)
  if ('failure' in planned) throw new Failed(planned.failure)
  const plan = { ...planned.plan, expected: work.recipe.expected ?? (work.nativeOnly === true ? 'native' : planned.plan.expected) }
  const { metadata, cargoLock, ...rest } = plan
  session.record['plan'] = { ...rest, staticMetadata: metadata !== undefined, crates: cargoLock?.length, sources: contents.sources }
  const requires = plan.requires.map((text) => cleanLine(text)).join(', ')
  session.say(`${contents.entries} entries, backend ${cleanLine(plan.backend)}, requires ${requires || 'nothing'}, expected ${plan.expected}`)
  const refused = refusedFor(plan, target)
  if (refused) throw new Failed(refused)
  const foreign = plan.languages.find((language) => images.languages?.includes(language) === false)
  if (foreign !== undefined) throw new Failed({ class: 'unsupported-language', key: LANGUAGES[foreign] })
  return { plan, path, size: (await stat(path)).size, folder: contents.folder }
}

/** Images first: making one takes minutes once, and is not the job's time, which begins now. */
export async function readyImages(session: Session, images: Images, source: Source): Promise<{ target: Target; ready: ReadyPair }> {
  const target = targetOf(session)
  const ready = await session.guard(images.ready(target, { languages: source.plan.languages.includes('c++') ? 'c++' : 'c' }))
  session.record['images'] = { builder: ready.builder, clean: ready.clean }
  session.countTime()
  return { target, ready }
}

function targetOf({ work }: Session): Target {
  const target = parseTarget(work.job.target)
  if (!target) throw new MuslinError('unknown-target', `${work.job.target} is no target's name`)
  return target
}

/** The sdist's bytes. Where they come too late for the job, they are let go. Throws Failed `no-sdist` where the upstream has them no more. */
async function open(session: Session): Promise<Readable> {
  const opening = session.work.sdist()
  try {
    return await session.guard(opening)
  } catch (error) {
    opening.then((sdist) => sdist.destroy(), () => undefined)
    // A file that was removed does not come back: as the surroundings' fault it would be asked for every five minutes, for ever.
    if (error instanceof MuslinError && error.code === 'no-such-file') throw new Failed({ class: 'no-sdist', key: '' })
    throw error
  }
}
