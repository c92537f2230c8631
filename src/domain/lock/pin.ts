/** What every reader of lock files gives. */
import type { MarkerEnvironment } from '../marker-environment.ts'

export interface Pin {
  /** Normalised. */
  project: string
  /** As the lock writes it; the empty string where it names none. */
  version: string
  /** Where it stands in the file, from 1. */
  line: number | undefined
  /** `sha256:…` in lower case; an installer takes only files with one of these. Empty: any file. */
  hashes: string[]
  /** The only files that the lock's tool takes: it never asks the index. Undefined: any file. */
  filenames: string[] | undefined
  /** The lock forbids the other kind. */
  only: 'wheels' | 'sdists' | undefined
  /** Where it comes from, if not from an index: `a git repository`. */
  elsewhere: string | undefined
}

/** A package at one place of a lock, with all that its reader and its writer must see alike. */
export interface Locked {
  pin: Pin
  /** It is the project itself or a part of its folder: nothing of it is planned. */
  local: boolean
  /** Those of all files that it lists, as in a pin, also where that takes any file since one has none. */
  hashes: string[]
}

/** What is wanted of the locked project itself; `groups` undefined: those that the lock's tool installs by default. */
export interface Wanted { extras: string[]; groups: string[] | undefined }

export const LOCK_KINDS = ['requirements', 'pylock', 'uv', 'poetry', 'pdm', 'pipfile'] as const
export type LockKind = typeof LOCK_KINDS[number]

export interface Lock {
  name: string
  kind: LockKind
  /** Why the lock's tool refuses it in this environment as a whole, in a few words; undefined where it does not. */
  refusal(environment: MarkerEnvironment): string | undefined
  /** What its tool would install in this environment, each release once. Project and version name a release; projects of the lock's own folder are left out. */
  pins(environment: MarkerEnvironment, wanted: Wanted): Pin[]
}
