/** Lock files: which releases they pin for an environment. */
import { MuslinError } from '../../errors.ts'
import { cleanLine } from '../clean.ts'
import type { MarkerEnvironment } from '../marker-environment.ts'
import { badLock } from './bad-lock.ts'
import { readPoetry } from './poetry.ts'
import { readPylock } from './pylock.ts'
import { readRequirements } from './requirements.ts'
import { readUv } from './uv.ts'

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

/** What is wanted of the locked project itself; `groups` undefined: those that the lock's tool installs by default. */
export interface Wanted { extras: string[]; groups: string[] | undefined }

export interface Lock {
  name: string
  kind: 'requirements' | 'pylock' | 'uv' | 'poetry'
  /** Why the lock's tool refuses it in this environment as a whole, in a few words; undefined where it does not. */
  refusal(environment: MarkerEnvironment): string | undefined
  /** What its tool would install in this environment, each release once. Project and version name a release; projects of the lock's own folder are left out. */
  pins(environment: MarkerEnvironment, wanted: Wanted): Pin[]
}

/** As HTTP requests bound it; who reads a file is bounded here. */
const LONGEST = 16 << 20

/**
 * Reads a lock file: its name tells the format, else its content. `given` are the names of all files that are read together: what one
 * of them includes need not be refused. Throws `bad-lock`, which names the file and every bad line.
 */
export function readLock(name: string, text: string, given: string[] = []): Lock {
  if (text.length > LONGEST) throw new MuslinError('too-large', `${cleanLine(name, 60)} has more than 16 MB; no lock is that long`)
  // Editors on Windows put it there; neither format allows it.
  const content = text.replace(/^\ufeff/, '')
  const kind = kindOf(name, content)
  if (kind === 'requirements') return readRequirements(name, content, given)
  return { pylock: readPylock, uv: readUv, poetry: readPoetry }[kind](name, content)
}

function kindOf(name: string, text: string): Lock['kind'] {
  const base = name.replaceAll('\\', '/').split('/').at(-1)!.toLowerCase()
  // PEP 751 "File Name".
  if (/^pylock(?:\.[^.]+)?\.toml$/.test(base)) return 'pylock'
  if (base === 'uv.lock' || base.endsWith('.py.lock')) return 'uv'
  if (base === 'poetry.lock') return 'poetry'
  if (base === 'pyproject.toml') throw badLock(name, [{ what: 'it is no lock: give what is made from it, such as uv.lock, poetry.lock or pylock.toml' }])
  if (base === 'pipfile.lock' || base === 'pdm.lock') throw badLock(name, [{ what: 'this format is not read: export it to requirements.txt or pylock.toml and give that' }])
  if (/^\[\[packages\]\]/m.test(text)) return 'pylock'
  if (/^\[\[package\]\]/m.test(text)) return /^content-hash\s*=/m.test(text) ? 'poetry' : 'uv'
  return 'requirements'
}
