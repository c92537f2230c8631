/** Tries a finished wheel on the clean image: it must install, and its modules must load, where there is no compiler. */
import { z } from 'zod'
import { cleanLine } from '../domain/clean.ts'
import { isElf, readElf } from '../domain/elf.ts'
import { parseMetadata } from '../domain/metadata.ts'
import { modulesOf, type WheelModules } from '../domain/modules.ts'
import { requirementLine } from '../domain/requirement-line.ts'
import { triedFailure, type Tried } from '../domain/tried.ts'
import { carryText, type Carried } from './carry.ts'
import { pip, PLAIN } from './environment.ts'
import { Failed } from './failed.ts'
import { fetchWheels, requirementLines, wheelEntry, type Fetch } from './fetch.ts'
import { script } from './scripts.ts'
import { PLACE, type Box, type Session } from './session.ts'
import { readWheel } from './wheel-file.ts'

const TRIED = z.array(z.object({
  module: z.string(), outcome: z.enum(['ok', 'signal', 'timeout', 'error']), type: z.string().optional(), name: z.string().nullish(), message: z.string().optional(),
}))
const ANSWER_BYTES = 16 << 20
/** Of a project with more extension modules the first ones speak for the rest. */
const MAX_MODULES = 400

/** What the record says of the try-out. */
export interface TryRecord {
  requirements: { filename: string; sha256: string }[]
  /** Installed without its requirements, since one of them has no wheel or is no plain requirement: which. */
  withoutRequirements: string | undefined
  modules: number
  /** The recipe's own check ran too. */
  checked: boolean
  /** Imports that failed for reasons that are not the wheel's. */
  notes: { module: string; why: string }[]
}

/** How the requirements of a wheel are had. */
type Source = Pick<Fetch, 'image' | 'indexUrl'>

/** Throws Failed `try-failed`. `metadata` is the wheel's METADATA, `clean` the clean image. */
export async function tryWheel(session: Session, wheel: Carried, given: { metadata: Uint8Array; clean: string } & Source): Promise<TryRecord> {
  const { metadata, clean, ...source } = given
  const modules = await modulesOfWheel(wheel.path)
  return session.within({ image: clean, network: 'none' }, async (box) => {
    const venv = `${PLACE}/venv`
    const prepare = async () => {
      await box.put([
        await script('try.py'),
        { name: 'modules.json', body: JSON.stringify([...modules.top, ...modules.extensions].slice(0, MAX_MODULES)) },
        { name: 'home/.keep', body: '' },
        wheelEntry(wheel, 'wheels'),
      ])
      await box.must(['python3', '-m', 'venv', '--without-pip', venv], { env: PLAIN })
    }
    const [{ requirements, missing }] = await Promise.all([fetchRequirements(session, wheel, metadata, source), prepare()])
    if (requirements.length > 0) await box.put(requirements.map((one) => wheelEntry(one, 'wheels')))
    const installed = await box.exec(
      pip(`${venv}/bin/python`, [
        'install', '--no-index', '--no-cache-dir', '--no-compile', '--progress-bar', 'off', '--find-links', `${PLACE}/wheels`,
        ...(missing === undefined ? [] : ['--no-deps']), `${PLACE}/wheels/${wheel.filename}`,
      ]),
      { env: PLAIN },
    )
    if (installed.exitCode !== 0) throw new Failed(await pipFailure(box.why, installed.text))
    await box.must([`${venv}/bin/python`, `${PLACE}/try.py`, `${PLACE}/modules.json`, `${PLACE}/answer.json`], { env: PLAIN, cwd: `${PLACE}/home` })
    const results = readAnswer(await carryText(box, 'answer.json', ANSWER_BYTES, 'try-failed'))
    const notes = judge(session, results, modules)
    const { check } = session.work.recipe
    if (check !== '') await runCheck(box, venv, check)
    return {
      requirements: requirements.map(({ filename, sha256 }) => ({ filename, sha256 })),
      withoutRequirements: missing,
      modules: results.length,
      checked: check !== '',
      notes,
    }
  })
}

/** The recipe's own check, by the Python that has the wheel installed. */
async function runCheck(box: Box, venv: string, check: string): Promise<void> {
  await box.put([{ name: 'check.py', body: check }])
  const { exitCode, text } = await box.exec([`${venv}/bin/python`, `${PLACE}/check.py`], { env: PLAIN, cwd: `${PLACE}/home` })
  if (exitCode === 0) return
  const failure = await box.why(text)
  if (failure.class === 'out-of-memory' || failure.class === 'out-of-disk') throw new Failed(failure)
  const last = text.split('\n').findLast((line) => line.trim() !== '') ?? `exit code ${exitCode}`
  throw new Failed({ class: 'try-failed', key: cleanLine(`its recipe's check ends with ${last}`) })
}

async function fetchRequirements(
  session: Session, wheel: Carried, metadata: Uint8Array, source: Source,
): Promise<{ requirements: Carried[]; missing: string | undefined }> {
  const { requiresDist } = parseMetadata(new TextDecoder().decode(metadata))
  const always = requiresDist.filter((requirement) => !/;.*\bextra\s*==/.test(requirement))
  if (always.length === 0) return { requirements: [], missing: undefined }
  try {
    requirementLines(always)
    // The lines, never the wheel itself: its METADATA is the sdist's own word, and could name a URL to connect to.
    const plain = requiresDist.filter((requirement) => requirementLine(requirement) !== undefined)
    const fetched = await fetchWheels(session, { ...source, name: 'try', requirements: plain })
    return { requirements: fetched.filter(({ filename }) => filename !== wheel.filename), missing: undefined }
  } catch (error) {
    // Later its user gets that requirement from a promise, or brings it along: no reason to withhold this wheel.
    if (!(error instanceof Failed) || error.failure.class !== 'build-requirement-unbuildable') throw error
    session.say(`tried without its requirements: no wheel is to be had of ${error.failure.key}`)
    return { requirements: [], missing: error.failure.key }
  }
}

function judge(session: Session, results: Tried[], { top, extensions }: WheelModules): TryRecord['notes'] {
  const own = [...top, ...extensions]
  for (const result of results) {
    const why = triedFailure(result, own)
    if (why !== undefined) throw new Failed({ class: 'try-failed', key: cleanLine(why) })
  }
  const notes = results.filter(({ outcome }) => outcome !== 'ok')
    .map(({ module, outcome, type, message }) => ({ module, why: cleanLine(outcome === 'error' ? `${type}: ${message}` : outcome) }))
  for (const { module, why } of notes) session.say(`noted, and not the wheel's fault: import ${module}: ${why}`)
  return notes
}

async function modulesOfWheel(path: string): Promise<WheelModules> {
  const members = await readWheel(path)
  const inits = new Map<string, string[]>()
  for (const member of members.filter(({ name }) => name.endsWith('.so'))) {
    const bytes = await member.read()
    if (isElf(bytes)) inits.set(member.name, readElf(bytes).definedSymbols.filter((symbol) => symbol.startsWith('PyInit_')))
  }
  return modulesOf(members.map(({ name }) => name), (name, module) => inits.get(name)?.includes(`PyInit_${module}`) === true)
}

async function pipFailure(why: (text: string) => Promise<Failed['failure']>, text: string): Promise<Failed['failure']> {
  const failure = await why(text)
  if (failure.class === 'out-of-memory' || failure.class === 'out-of-disk') return failure
  return { class: 'try-failed', key: cleanLine(`pip cannot install it: ${/^ERROR: (.*)$/m.exec(text)?.[1] ?? 'read the log'}`) }
}

function readAnswer(text: string): Tried[] {
  try {
    return TRIED.parse(JSON.parse(text))
  } catch {
    throw new Failed({ class: 'try-failed', key: 'no readable answer of the try-out' })
  }
}
