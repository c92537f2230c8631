/** Lock files: which releases they pin for an environment. */
import { MuslinError } from '../../errors.ts'
import { cleanLine } from '../clean.ts'
import { badLock } from './bad-lock.ts'
import { readPdm } from './pdm.ts'
import type { Lock, LockKind } from './pin.ts'
import { readPipfile } from './pipfile.ts'
import { readPoetry } from './poetry.ts'
import { readPylock } from './pylock.ts'
import { readRequirements } from './requirements.ts'
import { readUv } from './uv.ts'

export { LOCK_KINDS, type Lock, type LockKind, type Pin, type Wanted } from './pin.ts'

/** The longest real ones have some megabytes; reading one takes a second or two. */
const LONGEST = 8 << 20

/**
 * Reads a lock file: its name tells the format, else its content. `given` are the names of all files that are read together: what one
 * of them includes need not be refused. Throws `bad-lock`, which names the file and every bad line.
 */
export function readLock(name: string, text: string, given: string[] = []): Lock {
  const { content } = contentOf(name, text)
  const kind = kindOf(name, content)
  if (kind === 'requirements') return readRequirements(name, content, given)
  return { pylock: readPylock, uv: readUv, poetry: readPoetry, pdm: readPdm, pipfile: readPipfile }[kind](name, content)
}

/** The text and the byte order mark before it: editors on Windows put it there, and no format allows it. Throws `too-large`. */
export function contentOf(name: string, text: string): { mark: string; content: string } {
  if (text.length > LONGEST) throw new MuslinError('too-large', `${cleanLine(name, 60)} has more than 8 MB; no lock is that long`)
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  return { mark, content: text.slice(mark.length) }
}

/** The format of a lock file, by its name, else by its content. Throws `bad-lock` for what is known to be none. */
export function kindOf(name: string, text: string): LockKind {
  const base = name.replaceAll('\\', '/').split('/').at(-1)!.toLowerCase()
  // PEP 751 "File Name".
  if (/^pylock(?:\.[^.]+)?\.toml$/.test(base)) return 'pylock'
  if (base === 'uv.lock' || base.endsWith('.py.lock')) return 'uv'
  if (base === 'poetry.lock') return 'poetry'
  if (base === 'pyproject.toml') throw badLock(name, [{ what: 'it is no lock: give what is made from it, such as uv.lock, poetry.lock or pylock.toml' }])
  if (base === 'pdm.lock') return 'pdm'
  if (base === 'pipfile.lock') return 'pipfile'
  if (base === 'pipfile') throw badLock(name, [{ what: 'it is no lock: give the Pipfile.lock that pipenv makes from it' }])
  if (/^\[\[packages\]\]/m.test(text)) return 'pylock'
  if (/^\s*\{/.test(text)) return 'pipfile'
  if (/^\[\[package\]\]/m.test(text)) return /^content-hash\s*=/m.test(text) ? 'poetry' : /^lock_version\s*=/m.test(text) ? 'pdm' : 'uv'
  return 'requirements'
}
