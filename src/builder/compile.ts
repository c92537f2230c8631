/** What happens in the build container: the only place where code of the sdist runs, without network. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { cleanLine } from '../domain/clean.ts'
import { isElf } from '../domain/elf.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import type { FailureClass } from '../domain/failure.ts'
import type { BuildPlan } from '../domain/plan.ts'
import type { Target } from '../domain/target.ts'
import { carryText, carryWheels, type Carried } from './carry.ts'
import { inVenv, pip, pipInVenv, PLAIN, VENV } from './environment.ts'
import { Failed } from './failed.ts'
import { fetchFailure, requirementLines, wheelEntry } from './fetch.ts'
import { script } from './scripts.ts'
import { PLACE, type Box, type Session } from './session.ts'
import { readWheel } from './wheel-file.ts'

export interface Source {
  plan: BuildPlan
  /** The sdist on the server. */
  path: string
  size: number
  /** Its top-level folder. */
  folder: string
}

/** A source whose images are known. */
export interface Begun extends Source {
  /** For commands that run the sdist's own code. */
  environment: Record<string, string>
}

const REQUIRES = z.object({ requires: z.array(z.string().max(2000)).max(500) })
const METADATA = z.object({ metadata: z.string().nullable() })
const ANSWER_BYTES = 8 << 20
/** Unpacking runs no code of the sdist: these are the machine's fault, or the image's. */
const NOT_OF_SDIST: FailureClass[] = ['out-of-memory', 'out-of-disk', 'missing-command']

/** Unpacks the sdist and makes an empty environment: what can be done before any wheel is there. Nothing of the sdist's code runs. */
export async function unpack(box: Box, source: Source): Promise<void> {
  const { plan } = source
  const sdist = source.path.endsWith('.zip') ? 'sdist.zip' : 'sdist.tar.gz'
  await box.put([
    await script('hooks.py'),
    { name: 'build.json', body: JSON.stringify({ sdist, backend: plan.backend, backendPath: plan.backendPath }) },
    { name: sdist, body: { size: source.size, open: () => createReadStream(source.path) } },
    { name: 'home/.keep', body: '' },
    { name: 'wheels/.keep', body: '' },
  ])
  const unpacked = await box.exec(['python3', `${PLACE}/hooks.py`, 'unpack'], { env: PLAIN })
  if (unpacked.exitCode !== 0) {
    const why = await box.why(unpacked.text)
    throw new Failed(NOT_OF_SDIST.includes(why.class) ? why : { class: 'bad-sdist', key: 'it cannot be unpacked' })
  }
  await box.must(['python3', '-m', 'venv', '--without-pip', VENV], { env: PLAIN })
}

/**
 * Fills the environment, and asks the backend what else it requires; `fetch` gets what the wheels at hand do not satisfy.
 * Returns all wheels that the environment was made from.
 */
export async function prepare(session: Session, box: Box, source: Begun, wheels: Carried[], fetch: (requirements: string[]) => Promise<Carried[]>): Promise<Carried[]> {
  const { plan } = source
  await install(box, plan.requires, wheels)
  const { requires } = await askBackend(box, source, 'requires', REQUIRES)
  const more = requires.filter((requirement) => !plan.requires.includes(requirement))
  if (more.length === 0) return wheels
  session.say(`the backend asks for ${more.length} more requirements: perhaps the wheels at hand will do`)
  const all = [...plan.requires, ...more]
  // Often they do, and a look costs less than another run for a fetch.
  if ((await tryInstall(box, all, [])).exitCode === 0) return wheels
  session.say('they do not: the others are fetched')
  const known = new Set(wheels.map((wheel) => wheel.filename))
  const added = (await fetch(all)).filter((wheel) => !known.has(wheel.filename))
  await install(box, all, added)
  return [...wheels, ...added]
}

/** METADATA as the backend tells it before it compiles; undefined where it has no hook for that (PEP 517: it is optional). */
export async function askMetadata(box: Box, source: Begun): Promise<Buffer | undefined> {
  const { metadata } = await askBackend(box, source, 'metadata', METADATA)
  return metadata === null ? undefined : Buffer.from(metadata)
}

/** Compiles; exactly one wheel must come of it. */
export async function compile(session: Session, box: Box, source: Begun): Promise<Carried> {
  const { text } = await box.must(
    pipInVenv([
      'wheel', '-v', '--use-pep517', '--no-deps', '--no-index', '--no-build-isolation', '--no-cache-dir', '--progress-bar', 'off',
      '-w', `${PLACE}/out`, sourceFolder(source),
    ]),
    { env: source.environment, cwd: sourceFolder(source) },
  )
  const [wheel, ...others] = await carryWheels(session, box, 'out', join(session.work.scratch, 'out'))
  if (!wheel || others.length > 0) {
    const why = wheel ? undefined : await box.why(text)
    throw new Failed(why && why.class !== 'build-failed' ? why : { class: 'wrong-wheel', key: `${wheel ? others.length + 1 : 'no'} wheels came out` })
  }
  return wheel
}

/**
 * The wheel with the libraries that it needs bundled for the target; a pure one as it is, and any where no target is given. Throws Failed:
 * `pure-fallback` where a native part was expected, or a platform is named, and there is none.
 */
export async function repair(session: Session, box: Box, source: Source, wheel: Carried, target: Target | undefined): Promise<Carried> {
  const named = parseWheelFilename(wheel.filename)
  if (!named) throw new Failed({ class: 'wrong-wheel', key: `${wheel.filename} is no wheel's file name` })
  if (named.platforms.includes('any')) {
    if (source.plan.expected === 'native') throw new Failed({ class: 'pure-fallback', key: '' })
    session.say('the wheel is pure: nothing to repair')
    return wheel
  }
  // Seen with PyYAML: a build that lost its native part still names the platform, and exits with 0.
  if (!await holdsElf(wheel.path)) throw new Failed({ class: 'pure-fallback', key: '' })
  if (!target) {
    session.say('nothing is bundled: there are no libraries for musl here')
    return wheel
  }
  const { text } = await box.must(
    ['auditwheel', 'repair', '--plat', target.name.slice(target.python.length + 1), '-w', `${PLACE}/repaired`, `${PLACE}/out/${wheel.filename}`],
    { env: PLAIN },
  )
  // A failed repair leaves a wheel behind as well: only the one that it names is taken.
  const path = /Fixed-up wheel written to (\S+)/.exec(text)?.[1]
  const filename = path?.slice(path.lastIndexOf('/') + 1)
  const repaired = await carryWheels(session, box, 'repaired', join(session.work.scratch, 'repaired'), 'repair-failed')
  const taken = repaired.find((one) => one.filename === filename)
  if (!taken) throw new Failed({ class: 'repair-failed', key: 'auditwheel names no repaired wheel' })
  return taken
}

async function install(box: Box, requirements: string[], wheels: Carried[]): Promise<void> {
  const { exitCode, text } = await tryInstall(box, requirements, wheels)
  if (exitCode !== 0) throw new Failed(fetchFailure(text) ?? await box.why(text))
}

/** Installs from the folder of wheels, to which these are added. */
async function tryInstall(box: Box, requirements: string[], wheels: Carried[]): Promise<{ exitCode: number; text: string }> {
  if (requirements.length === 0) return { exitCode: 0, text: '' }
  await box.put([
    { name: 'requirements.txt', body: `${requirementLines(requirements).join('\n')}\n` },
    ...wheels.map((wheel) => wheelEntry(wheel, 'wheels')),
  ])
  return box.exec(
    pip(`${VENV}/bin/python`, [
      // Most modules of a backend are never imported: Python compiles those that are.
      'install', '--no-compile', '--no-index', '--find-links', `${PLACE}/wheels`, '--no-cache-dir', '--progress-bar', 'off', '-r', `${PLACE}/requirements.txt`,
    ]),
    { env: PLAIN },
  )
}

async function askBackend<T>(box: Box, source: Begun, question: 'requires' | 'metadata', answer: z.ZodType<T>): Promise<T> {
  await box.must(inVenv(['python', `${PLACE}/hooks.py`, question]), { env: source.environment, cwd: sourceFolder(source) })
  const text = await carryText(box, 'answer.json', ANSWER_BYTES, 'build-failed')
  try {
    return answer.parse(JSON.parse(text))
  } catch {
    throw new Failed({ class: 'build-failed', key: cleanLine(`no readable answer of the hook for ${question}`) })
  }
}

async function holdsElf(path: string): Promise<boolean> {
  for (const member of await readWheel(path)) if (isElf(await member.begin())) return true
  return false
}

function sourceFolder(source: Source): string {
  return `${PLACE}/src/${source.folder}`
}
