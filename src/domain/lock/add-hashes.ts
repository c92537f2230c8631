/** Adding wheels of ours to lock files: every byte that was there stays. */
import { normalizeName } from '../names.ts'
import { versionKey } from '../version.ts'
import { badLock } from './bad-lock.ts'
import type { LockedWheel, LockEntry, RootOf } from './entry.ts'
import { inserted, type Insertion } from './insert.ts'
import { kindOf, readLock } from './lock.ts'
import { fileEntries } from './write-files.ts'
import { pipfileEntries } from './write-pipfile.ts'
import { pylockEntries } from './write-pylock.ts'
import { requirementsEntries } from './write-requirements.ts'
import { uvEntries } from './write-uv.ts'

/** A wheel of ours for a release that the lock pins. */
export interface Addition { project: string; version: string; wheel: LockedWheel }

/**
 * What became of an addition: it was added, was there already, or was not wanted, since installers take any file of the release by this
 * lock. A text says why it cannot be added.
 */
export type Outcome = 'added' | 'listed' | 'free' | { why: string }

/**
 * The lock with the additions, each with its outcome, in their order. The text is returned as it was but for what was put in, and a
 * second call with the same additions changes nothing. `given` are the names of all files that are read together. Throws `bad-lock` for what
 * is no lock, for a format that is not known, and for a lock that pins releases but lists no hash of any.
 */
export function addHashes(name: string, text: string, additions: Addition[], { rootOf, given = [] }: { rootOf: RootOf; given?: string[] }): { text: string; outcomes: Outcome[] } {
  readLock(name, text, given)
  // The readers pass over the mark too; it stays where it is.
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const content = text.slice(mark.length)
  const entries = entriesOf(name, content, { rootOf, given })
  const indexed = entries.filter((entry) => entry.indexed)
  if (indexed.length > 0 && !indexed.some(({ locked }) => locked)) {
    throw badLock(name, [{ what: 'it has no hashes, so none is missing: by it installers take our wheels as they are. Give a lock with hashes, such as pip-compile --generate-hashes makes' }])
  }
  const byRelease = Map.groupBy(indexed, keyOf)
  const wanted = Map.groupBy(additions, keyOf)
  const insertions: Insertion[] = []
  const outcomes = new Map<Addition, Outcome>()
  for (const [release, all] of wanted) {
    const places = (byRelease.get(release) ?? []).filter(({ locked }) => locked)
    for (const each of all) outcomes.set(each, outcome(places, each.wheel))
    for (const place of places) {
      const missing = distinct(all.map(({ wheel }) => wheel).filter((wheel) => isMissing(place, wheel)))
      if (missing.length > 0) insertions.push(...place.add(missing))
    }
  }
  return { text: mark + inserted(content, insertions), outcomes: additions.map((each) => outcomes.get(each)!) }
}

function entriesOf(name: string, content: string, { rootOf, given }: { rootOf: RootOf; given: string[] }): LockEntry[] {
  switch (kindOf(name, content)) {
    case 'requirements': return requirementsEntries(name, content, given)
    case 'pylock': return pylockEntries(name, content, rootOf)
    case 'uv': return uvEntries(name, content, rootOf)
    case 'poetry': case 'pdm': return fileEntries(name, content, rootOf)
    case 'pipfile': return pipfileEntries(name, content)
  }
}

/** A release may stand in a lock several times: for markers, extras or categories. */
function outcome(places: LockEntry[], wheel: LockedWheel): Outcome {
  if (places.length === 0) return 'free'
  if (places.some((place) => isMissing(place, wheel))) return 'added'
  const closed = places.find((place) => !isListed(place, wheel))
  return closed ? { why: closed.closed ?? `the lock has another file of the name ${wheel.filename}` } : 'listed'
}

function isMissing(place: LockEntry, wheel: LockedWheel): boolean {
  return !isListed(place, wheel) && place.closed === undefined && !place.filenames.includes(wheel.filename)
}

function isListed({ hashes }: LockEntry, { sha256 }: LockedWheel): boolean {
  return hashes.includes(`sha256:${sha256}`)
}

function distinct(wheels: LockedWheel[]): LockedWheel[] {
  return [...new Map(wheels.map((wheel) => [wheel.sha256, wheel])).values()]
}

function keyOf({ project, version }: { project: string; version: string }): string {
  return `${normalizeName(project)} ${versionKey(version)}`
}
