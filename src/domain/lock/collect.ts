/** What the readers of lock files share. */
import type { MarkerEnvironment } from '../marker-environment.ts'
import { evaluateMarker } from '../markers.ts'
import { parseSpecifiers, satisfies } from '../specifier.ts'
import { parseVersion, versionKey } from '../version.ts'
import type { Pin } from './pin.ts'

/** Whether a marker holds, each text judged once: locks repeat a few of them thousands of times. One that cannot be judged does not hold. */
export function markerJudge(environment: MarkerEnvironment, extras: string[], groups: string[]): (marker: string | undefined) => boolean {
  const judged = new Map<string, boolean>()
  return (marker) => {
    if (marker === undefined) return true
    const known = judged.get(marker)
    if (known !== undefined) return known
    const holds = evaluateMarker(marker, environment, extras, groups) === true
    judged.set(marker, holds)
    return holds
  }
}

/** A release has some hundred files at most; what names more is hostile. */
export const MOST_FILES = 5_000

/** Each release once, with the hashes of all its mentions; one mention without any takes any file. */
export function collectPins(pins: Pin[]): Pin[] {
  const releases = Map.groupBy(pins, (pin) => `${pin.project} ${versionKey(pin.version)}`)
  return [...releases.values()].map((mentions) => {
    const hashes = limitingHashes([...new Set(mentions.map((pin) => pin.hashes))])
    return { ...mentions[0]!, hashes: [...new Set(hashes)].slice(0, MOST_FILES) }
  })
}

/** The hashes that limit what is taken of the files with these: of a file without any, any bytes are taken. */
export function limitingHashes(files: string[][]): string[] {
  return files.some((hashes) => hashes.length === 0) ? [] : files.flat()
}

/** Why a lock for these Pythons is refused in the environment; undefined where it is not. What cannot be read refuses nothing, as in pip. */
export function pythonRefusal(requiresPython: string | undefined, { python_version, python_full_version }: MarkerEnvironment): string | undefined {
  const set = requiresPython === undefined || requiresPython === '*' ? undefined : parseSpecifiers(requiresPython)
  const version = parseVersion(python_full_version)
  if (!set || !version || satisfies(set, version, { prereleases: true })) return undefined
  return `it is for Python ${requiresPython}, not for ${python_version}`
}
