/** What happens in the build container: the only place where code of the sdist runs, without network. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { cleanLine } from '../domain/clean.ts'
import type { FailureClass } from '../domain/failure.ts'
import type { TarEntry } from '../services/tar.ts'
import { carryText, carryWheels, type Carried } from './carry.ts'
import type { Begun, Source } from './conditions.ts'
import { inVenv, pip, PLAIN, VENV } from './environment.ts'
import { Failed } from './failed.ts'
import { constraintFile, fetchFailed, requirementLines, wheelEntry } from './fetch.ts'
import { script } from './scripts.ts'
import { sdistName } from './sdist.ts'
import { PLACE, type Box, type Session } from './session.ts'

/** `text`: what was said meanwhile. */
export interface Compiled { wheel: Carried; text: string }

const ANSWER = z.object({ requires: z.array(z.string().max(2000)).max(500), metadata: z.string().nullish() })
const ANSWER_BYTES = 8 << 20
/** Unpacking runs no code of the sdist: these are the machine's fault, or the image's. */
const NOT_OF_SDIST: FailureClass[] = ['out-of-memory', 'out-of-disk', 'missing-command', 'missing-python-module']

/**
 * Unpacks the sdist, patches it, and makes an empty environment: what can be done before any wheel is there. Nothing of the sdist's code
 * runs. `wantsMetadata`: the backend is to be asked for it.
 */
export async function unpack(session: Session, box: Box, source: Begun, wantsMetadata: boolean): Promise<void> {
  const { patches } = session.work.recipe
  await box.put([
    await script('hooks.py'),
    buildFile(session, source, source.conditions.requires, wantsMetadata),
    { name: sdistName(source.path), body: { size: source.size, open: () => createReadStream(source.path) } },
    { name: 'home/.keep', body: '' },
    { name: 'wheels/.keep', body: '' },
  ])
  const unpacked = await box.exec(['python3', `${PLACE}/hooks.py`, 'unpack'], { env: PLAIN })
  if (unpacked.exitCode !== 0) {
    const why = await box.why(unpacked.text)
    throw new Failed(NOT_OF_SDIST.includes(why.class) ? why : { class: 'bad-sdist', key: 'it cannot be unpacked' })
  }
  if (patches.length > 0) await patch(session, box, source)
}

async function patch(session: Session, box: Box, source: Source): Promise<void> {
  const { patches } = session.work.recipe
  await box.put([await script('patch.py'), ...patches.map(({ text }, at) => ({ name: `patches/${at}.patch`, body: text }))])
  for (const [at, { name }] of patches.entries()) {
    session.say(`the recipe's patch ${cleanLine(name)} is applied`)
    const { exitCode, text } = await box.exec(['python3', `${PLACE}/patch.py`, `${PLACE}/patches/${at}.patch`], { env: PLAIN, cwd: sourceFolder(source) })
    if (exitCode === 0) continue
    const why = /^patch\.py: (.*)$/m.exec(text)?.[1] ?? 'read the log'
    throw new Failed({ class: 'bad-recipe', key: cleanLine(`its patch ${name} does not fit: ${why}`) })
  }
}

/** `used`: all wheels that the environment was made from. `metadata`: undefined where it was not asked for, or there is no hook for it (PEP 517). */
export interface Prepared { used: Carried[]; metadata: Buffer | undefined }

/** Fills the environment, and asks the backend what else it requires; `fetch` gets what the wheels at hand do not satisfy. */
export async function prepare(
  session: Session, box: Box, source: Begun, given: { wheels: Carried[]; wantsMetadata: boolean; fetch: (requirements: string[]) => Promise<Carried[]> },
): Promise<Prepared> {
  const { requires, constraints } = source.conditions
  const { wheels, wantsMetadata } = given
  await install(box, requires, constraints, wheels)
  const asked = await ask(box, source)
  const more = asked.requires.filter((requirement) => !requires.includes(requirement))
  if (more.length === 0) return { used: wheels, metadata: textOf(asked.metadata) }
  session.say(`the backend asks for ${more.length} more requirements: perhaps the wheels at hand will do`)
  const all = [...requires, ...more]
  // Often they do, and a look costs less than another run for a fetch.
  const used = (await tryInstall(box, all, constraints, [])).exitCode === 0 ? wheels : await fetchMore()
  if (!wantsMetadata) return { used, metadata: undefined }
  // It tells its metadata only once it has all that it asks for.
  await box.put([buildFile(session, source, all, wantsMetadata)])
  return { used, metadata: textOf((await ask(box, source)).metadata) }

  async function fetchMore(): Promise<Carried[]> {
    session.say('they do not: the others are fetched')
    const known = new Set(wheels.map((wheel) => wheel.filename))
    // The backend may narrow what was fetched before: these are what the environment comes to hold.
    const fetched = await given.fetch(all)
    await install(box, all, constraints, fetched.filter((wheel) => !known.has(wheel.filename)))
    return fetched
  }
}

/** Compiles; exactly one wheel must come of it. */
export async function compile(session: Session, box: Box, source: Begun): Promise<Compiled> {
  // Not `pip wheel`: it would ask for the metadata once more, which takes minutes where that configures, and compile in folders of random names.
  const { text } = await callBackend(box, source, 'build')
  const [wheel, ...others] = await carryWheels(session, box, 'out', join(session.work.scratch, 'out'))
  if (!wheel || others.length > 0) {
    const why = wheel ? undefined : await box.why(text)
    throw new Failed(why && why.class !== 'build-failed' ? why : { class: 'wrong-wheel', key: `${wheel ? others.length + 1 : 'no'} wheels came out` })
  }
  return { wheel, text }
}

async function install(box: Box, requirements: string[], constraints: string[], wheels: Carried[]): Promise<void> {
  const { exitCode, text } = await tryInstall(box, requirements, constraints, wheels)
  if (exitCode !== 0) throw fetchFailed(text) ?? new Failed(await box.why(text))
}

/** Installs from the folder of wheels, to which these are added. */
async function tryInstall(box: Box, requirements: string[], constraints: string[], wheels: Carried[]): Promise<{ exitCode: number; text: string }> {
  if (requirements.length === 0) return { exitCode: 0, text: '' }
  await box.put([
    { name: 'requirements.txt', body: `${requirementLines(requirements).join('\n')}\n` },
    constraintFile(constraints),
    ...wheels.map((wheel) => wheelEntry(wheel, 'wheels')),
  ])
  return box.exec(
    pip(`${VENV}/bin/python`, [
      // Most modules of a backend are never imported: Python compiles those that are.
      'install', '--no-compile', '--no-index', '--find-links', `${PLACE}/wheels`, '--no-cache-dir', '--progress-bar', 'off',
      '-r', `${PLACE}/requirements.txt`, '-c', `${PLACE}/constraints.txt`,
    ]),
    { env: PLAIN },
  )
}

async function ask(box: Box, source: Begun): Promise<z.infer<typeof ANSWER>> {
  await callBackend(box, source, 'ask')
  const text = await carryText(box, 'answer.json', ANSWER_BYTES, 'build-failed')
  try {
    return ANSWER.parse(JSON.parse(text))
  } catch {
    throw new Failed({ class: 'build-failed', key: 'no readable answer of the backend\'s hooks' })
  }
}

function callBackend(box: Box, source: Begun, command: 'ask' | 'build'): Promise<{ text: string }> {
  return box.must(inVenv(['python', `${PLACE}/hooks.py`, command]), { env: source.conditions.environment, cwd: sourceFolder(source) })
}

/** What hooks.py is to know. */
function buildFile({ work }: Session, source: Source, requires: string[], wantsMetadata: boolean): TarEntry {
  const { plan: { backend, backendPath }, path } = source
  return { name: 'build.json', body: JSON.stringify({ sdist: sdistName(path), backend, backendPath, settings: work.recipe.configSettings, requires, wantsMetadata }) }
}

function textOf(metadata: string | null | undefined): Buffer | undefined {
  return typeof metadata === 'string' ? Buffer.from(metadata) : undefined
}

function sourceFolder(source: Source): string {
  return `${PLACE}/src/${source.folder}`
}
