/** Project names. */
import { MuslinError } from '../errors.ts'

/** PyPI's own names are far shorter; the cap keeps hostile ones out of paths, logs and keys. */
const LONGEST = 200

/** The one spelling under which a project is looked up and stored: PEP 503 "Normalized Names". */
export function normalizeName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

/** Whether this is a project name at all, by the grammar of PEP 508 "Names", and short enough. */
export function isValidName(name: string): boolean {
  return name.length <= LONGEST && /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(name)
}

/** The project that somebody names, normalized. Throws `bad-name`. */
export function projectNamed(name: string): string {
  if (!isValidName(name)) throw new MuslinError('bad-name', `${name.slice(0, 60)} is no project name; names hold letters, digits, ".", "-" and "_"`)
  return normalizeName(name)
}
