/** Fetches wheels through Muslin, in a container where no code of an sdist ever runs. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { cleanLine } from '../domain/clean.ts'
import { OWN_USER_DATA } from '../domain/client.ts'
import type { Failure } from '../domain/failure.ts'
import { requirementLine, requirementName } from '../domain/requirement-line.ts'
import type { TarEntry } from '../services/tar.ts'
import { carryWheels, type Carried } from './carry.ts'
import { PLAIN } from './environment.ts'
import { Failed } from './failed.ts'
import { script } from './scripts.ts'
import { PLACE, type Session } from './session.ts'

export interface Fetch {
  image: string
  /** Base URL at which the fetch container reaches Muslin. */
  indexUrl: string
  /** A name for the folder in the worker's scratch folder. */
  name: string
  requirements: string[]
  /** Requirement lines that all of them are held to. */
  constraints?: string[]
  /** They were uploaded before it, seconds since 1970. */
  until?: number | undefined
}

/** The first pip that knows `--uploaded-prior-to`. */
const PIP_OF_DATES = 'pip>=26'

/**
 * The wheels that satisfy the requirements, and theirs in turn, for the image's own Python. Throws Failed: `build-requirement-unbuildable` with
 * the name of the one that has no wheel or is no plain requirement, `infrastructure` where Muslin could not be reached.
 */
export async function fetchWheels(session: Session, { image, indexUrl, name, requirements, constraints = [], until }: Fetch): Promise<Carried[]> {
  const lines = requirementLines(requirements)
  if (lines.length === 0) return []
  // Images hold the pip of their Python, which mostly is an older one.
  const pips = until === undefined ? [] : await fetchWheels(session, { image, indexUrl, name: `${name}-pip`, requirements: [PIP_OF_DATES] })
  const index = new URL('finished/simple/', indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`)
  return session.within({ image, network: 'fetch' }, async (box) => {
    await box.put([
      await script('fetch.py'),
      { name: 'requirements.txt', body: `${lines.join('\n')}\n` },
      constraintFile(constraints),
      { name: 'wheels/.keep', body: '' },
      ...pips.map((wheel) => wheelEntry(wheel, 'pip')),
    ])
    const { exitCode, text } = await box.exec([
      'python3', `${PLACE}/fetch.py`, index.href, '--isolated', 'download', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check',
      '--no-input', '--progress-bar', 'off', '--retries', '2', '--timeout', '120',
      '-d', `${PLACE}/wheels`, '-r', `${PLACE}/requirements.txt`, '-c', `${PLACE}/constraints.txt`,
      ...(until === undefined ? [] : ['--uploaded-prior-to', new Date(until * 1000).toISOString()]),
    ], { env: { ...PLAIN, PIP_USER_AGENT_USER_DATA: OWN_USER_DATA } })
    if (exitCode !== 0) throw fetchFailed(text) ?? new Failed(await box.why(text))
    return carryWheels(session, box, 'wheels', join(session.work.scratch, name), 'infrastructure')
  })
}

/** The requirements as lines of pip's requirements file. Throws Failed for one that is no plain requirement. */
export function requirementLines(requirements: string[]): string[] {
  return requirements.map((text) => {
    const line = requirementLine(text)
    if (line === undefined) throw new Failed(unbuildable(requirementName(text)))
    return line
  })
}

/** A wheel as a file to put into a run. */
export function wheelEntry(wheel: Carried, folder: string): TarEntry {
  return { name: `${folder}/${wheel.filename}`, body: { size: wheel.size, open: () => createReadStream(wheel.path) } }
}

/** The constraints as pip's file of them. Throws Failed for one that is no plain requirement. */
export function constraintFile(constraints: string[]): TarEntry {
  return { name: 'constraints.txt', body: requirementLines(constraints).map((line) => `${line}\n`).join('') }
}

/** What pip's words mean when a download failed; undefined where they say nothing of the index or a requirement. */
export function fetchFailed(text: string): Failed | undefined {
  const failure = fetchFailure(text)
  return failure && new Failed(failure, { needs: neededLine(text) })
}

/** The requirement that no wheel is there for, as pip understood it. */
function neededLine(text: string): string | undefined {
  const line = /^ERROR: No matching distribution found for (.+?)(?: \(from .*\))?$/m.exec(text)?.[1]
  return line === undefined ? undefined : requirementLine(line)
}

function fetchFailure(text: string): Failure | undefined {
  const unreachable = /^fetch: (Could not fetch URL .*)$|^ERROR: (HTTP error 5\d\d .*|.*(?:Max retries exceeded|Read timed out|Connection reset|IncompleteRead|do not match the hashes).*)$/m.exec(text)
  if (unreachable) return { class: 'infrastructure', key: cleanLine(`the fetch container got no good answer: ${unreachable[1] ?? unreachable[2]}`) }
  const absent = /^ERROR: No matching distribution found for (.+?)(?: \(from .*\))?$/m.exec(text)
  if (absent?.[1]) return unbuildable(absent[1])
  const conflict = /^ERROR: Cannot install (.+?) because these package versions have conflicting dependencies/m.exec(text)
  if (conflict?.[1]) return unbuildable(conflict[1])
  const outside = /nothing (?:is run|but the index is asked) while requirements are fetched/.test(text)
  return outside ? unbuildable('given as a URL') : undefined
}

function unbuildable(requirement: string): Failure {
  return { class: 'build-requirement-unbuildable', key: cleanLine(requirement, 100) }
}
