import { MuslinError } from '../errors.ts'

/**
 * Says what went wrong on the disk that holds the data folder. Paths stay out of the text, since clients read it; the cause has
 * them for the log.
 */
export function diskError(cause: unknown): MuslinError {
  if (cause instanceof MuslinError) return cause
  const code = codeOf(cause)
  if (FULL.has(code)) return new MuslinError('disk-full', 'no space is left in the data folder; make room there and ask again', { cause })
  if (DENIED.has(code)) return new MuslinError('data-folder', `the data folder cannot be written (${code}); give Muslin\'s user access to it`, { cause })
  return new MuslinError('data-folder', `the data folder's disk answered ${code || String(cause)}; look at the disk and the server's log`, { cause })
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])
const DENIED = new Set(['EACCES', 'EPERM', 'EROFS', 'SQLITE_READONLY', 'SQLITE_CANTOPEN'])

/** The code of a system or database error; the empty string where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
