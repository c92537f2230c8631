/** What the writers of lock files share. */
import type { Insertion } from './insert.ts'
import type { Locked } from './pin.ts'

/** A wheel of ours that a lock is to name. */
export interface LockedWheel { filename: string; sha256: string; size: number }

/**
 * Where this server's root is for a lock that names this index (undefined: it names none), with a slash at the end: URLs in a lock
 * must hold for all who install from it.
 */
export type RootOf = (index: string | undefined) => string

/** A package at one place of a lock, to be added to. */
export interface LockEntry extends Pick<Locked, 'pin' | 'local' | 'hashes'> {
  /** Why nothing can be added, in a few words; undefined where it can. */
  closed: string | undefined
  /** What must be put into the text so that it lists these too. */
  add(wheels: LockedWheel[]): Insertion[]
}

/** It is a release from an index; else it is nothing of ours. */
export function isRelease({ pin, local }: LockEntry): boolean {
  return !local && pin.elsewhere === undefined
}

/** Installers take only the files that it lists; where not, there is nothing to add. */
export function isLocked({ pin }: LockEntry): boolean {
  return pin.hashes.length > 0 || pin.filenames !== undefined
}

/** Where the wheel is served, for ever. */
export function wheelUrl({ sha256, filename }: LockedWheel, root: string): string {
  return `${root}files/${sha256}/${encodeURIComponent(filename)}`
}
