/** Adding wheels of ours to lock files: every byte that was there stays. */
import { normalizeName } from '../names.ts'
import { versionKey } from '../version.ts'
import { isLocked, isRelease, type LockedWheel, type LockEntry, type RootOf } from './entry.ts'
import { inserted, type Insertion } from './insert.ts'
import { contentOf, kindOf } from './lock.ts'
import { pdmEntries, poetryEntries } from './write-files.ts'
import { pipfileEntries } from './write-pipfile.ts'
import { pylockEntries } from './write-pylock.ts'
import { requirementsEntries } from './write-requirements.ts'
import { uvEntries } from './write-uv.ts'

/** A wheel of ours for a release that the lock pins. */
export interface Addition {
  project: string
  version: string
  wheel: LockedWheel
  /** The sha256 of what it was built from: only where the lock lists that, its author vouches for the wheel too. */
  sdist: string
}

/**
 * What became of an addition: it was added, was there already, or was not wanted, since installers take any file of the release by this
 * lock. `why` says what kept it out: of the whole lock, or of some of the places where the release stands and `besides` is not true.
 */
export type Outcome = 'added' | 'listed' | 'free' | { why: string; besides?: 'added' | 'listed' }

/** `plain`: the lock pins releases, but lists no file of any, so that installers take our wheels by it as they are. */
export interface Added { text: string; outcomes: Outcome[]; plain: boolean }

/**
 * The lock with the additions, each with its outcome, in their order. The text is returned as it was but for what was put in, and a
 * second call with the same additions changes nothing. `given` are the names of all files that are read together. Throws `bad-lock` for what
 * is no lock, and for a format that is not known.
 */
export function addHashes(name: string, text: string, additions: Addition[], { rootOf, given = [] }: { rootOf: RootOf; given?: string[] }): Added {
  const { mark, content } = contentOf(name, text)
  const releases = entriesOf(name, content, { rootOf, given }).filter(isRelease)
  const locked = releases.filter(isLocked)
  const byRelease = Map.groupBy(locked, ({ pin }) => keyOf(pin))
  const insertions: Insertion[] = []
  const outcomes = new Map<Addition, Outcome>()
  for (const [release, all] of Map.groupBy(additions, keyOf)) {
    const places = byRelease.get(release) ?? []
    for (const each of all) outcomes.set(each, outcome(places, each))
    for (const place of places) {
      const missing = distinct(all.filter((each) => stateAt(place, each) === 'added').map(({ wheel }) => wheel))
      if (missing.length > 0) insertions.push(...place.add(missing))
    }
  }
  return { text: mark + inserted(content, insertions), outcomes: additions.map((each) => outcomes.get(each)!), plain: releases.length > 0 && locked.length === 0 }
}

function entriesOf(name: string, content: string, { rootOf, given }: { rootOf: RootOf; given: string[] }): LockEntry[] {
  switch (kindOf(name, content)) {
    case 'requirements': return requirementsEntries(name, content, given)
    case 'pylock': return pylockEntries(name, content, rootOf)
    case 'uv': return uvEntries(name, content, rootOf)
    case 'poetry': return poetryEntries(name, content, rootOf)
    case 'pdm': return pdmEntries(name, content, rootOf)
    case 'pipfile': return pipfileEntries(name, content)
  }
}

/** A release may stand in a lock several times: for markers, extras, categories or sources. */
function outcome(places: LockEntry[], addition: Addition): Outcome {
  if (places.length === 0) return 'free'
  const states = places.map((place) => stateAt(place, addition))
  const had = states.includes('added') ? 'added' : states.includes('listed') ? 'listed' : undefined
  const kept = states.find((state) => typeof state === 'object')
  return kept ? { ...kept, ...had && { besides: had } } : had!
}

function stateAt({ pin, hashes, closed }: LockEntry, { wheel: { filename, sha256 }, sdist }: Addition): 'added' | 'listed' | { why: string } {
  if (hashes.includes(`sha256:${sha256}`)) return 'listed'
  if (!hashes.includes(`sha256:${sdist}`)) return { why: `the lock names no sdist that ${filename} was built from` }
  if (closed !== undefined) return { why: closed }
  // Where files have names, no two of one name can stand.
  return pin.filenames?.includes(filename) ? { why: `the lock has another file of the name ${filename}` } : 'added'
}

function distinct(wheels: LockedWheel[]): LockedWheel[] {
  return [...new Map(wheels.map((wheel) => [wheel.sha256, wheel])).values()]
}

function keyOf({ project, version }: { project: string; version: string }): string {
  return `${normalizeName(project)} ${versionKey(version)}`
}
