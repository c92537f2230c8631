/**
 * Every error that Muslin answers with or exits on: code → HTTP status and title. `docs/errors.md` is tested against this table.
 * The one gate that turns them into answers is `http/middleware/gate.ts`; the CLI's is `main.ts`.
 */
export const ERRORS = {
  'bad-request': { status: 400, title: 'The request is malformed' },
  'bad-name': { status: 400, title: 'Not a valid project name' },
  'unknown-target': { status: 404, title: 'This target is not configured' },
  'not-found': { status: 404, title: 'Nothing is served at this address' },
  'no-such-project': { status: 404, title: 'The upstream knows no such project' },
  'no-such-file': { status: 404, title: 'No such file is recorded' },
  'no-such-build': { status: 404, title: 'No such build is recorded' },
  'no-such-promise': { status: 404, title: 'No such promise was made' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method' },
  'not-acceptable': { status: 406, title: 'None of the accepted content types can be given' },
  'bad-range': { status: 416, title: 'The range lies outside the file' },
  'still-building': { status: 423, title: 'Muslin is still building this wheel' },
  'build-failed': { status: 424, title: 'Muslin could not build this wheel' },
  'metadata-changed': { status: 424, title: 'The metadata was changed by the build' },
  'start-refused': { status: 424, title: 'Muslin may not start a build for this request' },
  'queue-full': { status: 424, title: 'Too many builds are waiting' },
  'too-many-builds': { status: 424, title: 'This client asked for too many new builds' },
  'no-builder': { status: 424, title: 'No builder is ready for this target' },
  'shutting-down': { status: 503, title: 'Muslin is shutting down' },
  'internal': { status: 500, title: 'Muslin made a mistake' },
  'upstream-unreachable': { status: 502, title: 'The upstream cannot be reached' },
  'upstream-refused': { status: 502, title: 'The upstream refused the request' },
  'upstream-bad-answer': { status: 502, title: 'The upstream gave an answer that is no index page' },
  'upstream-timeout': { status: 504, title: 'The upstream did not answer in time' },
  'digest-mismatch': { status: 502, title: 'The upstream sent other bytes than its page promises' },
  'loop': { status: 508, title: 'Muslin is its own upstream' },
  'bad-settings': { status: 500, title: 'A setting cannot be used' },
  'no-upstream': { status: 500, title: 'No upstream index is known' },
  'port-in-use': { status: 500, title: 'The port is taken' },
  'data-folder': { status: 500, title: 'The data folder cannot be used' },
  'disk-full': { status: 507, title: 'The disk is full' },
  'engine-unavailable': { status: 503, title: 'The container engine cannot be used' },
  'image-unavailable': { status: 503, title: 'A builder image cannot be made ready' },
  'transfer-failed': { status: 500, title: 'Files could not be moved into or out of a container' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** An error whose text is written for the person who reads it: `detail` is one line that names the cause and the remedy. */
export class MuslinError extends Error {
  readonly code: ErrorCode
  readonly detail: string
  /** Where to read more, such as a build's log; absolute or relative to the server's root. */
  readonly link: string | undefined

  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; link?: string } = {}) {
    super(`${ERRORS[code].title}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MuslinError'
    this.code = code
    this.detail = detail
    this.link = options.link
  }

  get status(): number { return ERRORS[this.code].status }
}
