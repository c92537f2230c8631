import { MuslinError } from '../errors.ts'

/**
 * Says what went wrong on the disk or in the database of the data folder; an error of neither comes back as it is. Paths stay out
 * of the text, since clients read it; the cause has them for the log.
 */
export function diskError(cause: unknown): Error {
  const code = codeOf(cause)
  if (code === '' || cause instanceof MuslinError) return cause instanceof Error ? cause : new Error(String(cause))
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) {
    return new MuslinError('disk-full', 'no space is left in the data folder; make room there and ask again', { cause })
  }
  if (/^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM)/.test(code)) {
    return new MuslinError('data-folder', `it cannot be written (${code}); give Muslin's user access to it`, { cause })
  }
  if (/^(SQLITE_CORRUPT|SQLITE_NOTADB)/.test(code)) {
    return new MuslinError('data-folder', `its database is damaged (${code}); restore it from a backup`, { cause })
  }
  if (/^(SQLITE_CONSTRAINT|SQLITE_ERROR|SQLITE_MISMATCH)/.test(code)) {
    return new MuslinError('internal', `the database refused a statement (${code}); look at the server's log`, { cause })
  }
  return new MuslinError('data-folder', `its disk answered ${code}; look at the disk and the server's log`, { cause })
}

/** The code of a system or database error; the empty string where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
