import { ERRORS, type MuslinError } from '../errors.ts'
import { redact } from '../log.ts'

/** What a command that was asked for JSON prints where it has nothing else to tell: the codes are those of the API's errors, `usage` and `interrupted`. */
export interface ErrorDocument {
  code: string
  title: string
  /** One line that names the cause and the remedy. */
  detail: string
  /** What helps against errors of this kind. */
  remedy: string
  /** Where to read more; absolute, or relative to the server's root. */
  link: string | null
}

/** An error for programs, without secrets. */
export function errorDocument(error: MuslinError): ErrorDocument {
  const { code, detail, link } = error
  const { title, remedy } = ERRORS[code]
  return { code, title, detail: redact(detail), remedy, link: link === undefined ? null : redact(link) }
}

/** The words themselves are wrong; `message` is commander's. */
export function usageDocument(message: string): ErrorDocument {
  return { code: 'usage', title: 'The command line is wrong', detail: redact(message.replace(/^error: /, '').trim()), remedy: 'muslin COMMAND --help tells what it takes.', link: null }
}

/** Somebody left by Ctrl-C. */
export function interruptedDocument(): ErrorDocument {
  return {
    code: 'interrupted', title: 'The command was interrupted', detail: 'builds that it waited for go on at the server; muslin jobs lists them',
    remedy: 'muslin job ID --follow shows one again, muslin cancel ID ends it.', link: null,
  }
}
