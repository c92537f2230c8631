/** What the writers of lock files share. */
import type { Insertion } from './insert.ts'

/** A wheel of ours that a lock is to name. */
export interface LockedWheel { filename: string; sha256: string; size: number }

/**
 * Where this server's root is for a lock that names this index (undefined: it names none), with a slash at the end: URLs in a lock
 * must hold for all who install from it.
 */
export type RootOf = (index: string | undefined) => string

/** A release as a lock pins it at one place. */
export interface LockEntry {
  /** Normalised. */
  project: string
  /** As the lock writes it. */
  version: string
  /** It comes from an index; else it is no release, and nothing of ours. */
  indexed: boolean
  /** Installers take only the files that it lists; where not, there is nothing to add. */
  locked: boolean
  /** `sha256:…` of the files that it lists, in lower case. */
  hashes: string[]
  /** Names of the files that it lists, where two of one name cannot stand in it; else empty. */
  filenames: string[]
  /** Why nothing can be added, in a few words; undefined where it can. */
  closed: string | undefined
  /** What must be put into the text so that it lists these too. */
  add(wheels: LockedWheel[]): Insertion[]
}

/** Where the wheel is served, for ever. */
export function wheelUrl({ sha256, filename }: LockedWheel, root: string): string {
  return `${root}files/${sha256}/${encodeURIComponent(filename)}`
}
