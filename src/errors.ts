/**
 * Every error that Muslin answers with or exits on: code → HTTP status, title, and what helps in general. `docs/errors.md` is
 * made from this table (`npm run docs`) and tested against it.
 * The one gate that turns them into answers is `http/middleware/gate.ts`; the CLI's is `main.ts`.
 */
export const ERRORS = {
  'bad-request': { status: 400, title: 'The request is malformed', remedy: 'Mend what is named, and send the request again.' },
  'bad-lock': { status: 400, title: 'The lock file cannot be used', remedy: 'Mend what is named: pin each requirement with ==, or give a lock file that a locker made.' },
  'bad-backup': { status: 400, title: 'The backup cannot be used', remedy: 'Give a whole file that muslin backup wrote, or make one anew.' },
  'bad-recipe': { status: 400, title: 'The recipe cannot be used', remedy: 'Mend what is named; docs/recipes.md has the keys and an example.' },
  'bad-name': { status: 400, title: 'Not a valid project name', remedy: 'Check the spelling; names are letters, digits, and ., - or _ between them.' },
  'bad-date': { status: 400, title: 'Not a date that a view can be of', remedy: 'Give a day as YYYY-MM-DD, or a moment by RFC 3339 such as 2026-01-31T12:00:00Z, that is not in the future.' },
  'unknown-view': { status: 404, title: 'This view is not configured', remedy: 'Use one of the views that the settings name, or add this one by [views.NAME].' },
  'unknown-target': { status: 404, title: 'This target is not configured', remedy: 'Use one of the configured targets, or add this one to the setting targets.' },
  'not-found': { status: 404, title: 'Nothing is served at this address', remedy: 'Check the URL; the index is at /simple/.' },
  'no-such-project': { status: 404, title: 'The upstream knows no such project', remedy: 'Check the spelling, and that the upstream has the project.' },
  'no-such-file': { status: 404, title: 'No such file is recorded', remedy: 'Ask for the project\'s page again; it lists the files there are.' },
  'no-such-release': { status: 404, title: 'The project has no such release', remedy: 'Check the version; the project\'s page lists its files.' },
  'no-such-job': { status: 404, title: 'No such job is recorded', remedy: 'Check the number; muslin jobs lists them.' },
  'no-such-recipe': { status: 404, title: 'No such recipe of this site', remedy: 'Check the number; muslin recipe list has those that can be removed.' },
  'no-such-prebuild': { status: 404, title: 'No such prebuild is recorded', remedy: 'Check the number; it is in the address that the prebuild was started with.' },
  'no-such-build': { status: 404, title: 'No such build is recorded', remedy: 'Check the number; a link to a build is for one server and its data folder.' },
  'no-such-promise': { status: 404, title: 'No such promise was made', remedy: 'Ask for the project\'s page again; it lists the promises there are.' },
  'token-needed': { status: 401, title: 'This needs the admin\'s token', remedy: 'Log in at /ui/login, or send the token as a bearer token; it is in the file admin-token of the data folder.' },
  'too-many-logins': { status: 429, title: 'Too many wrong tokens were sent', remedy: 'Wait a minute; the token is in the file admin-token of the data folder.' },
  'forged-request': { status: 403, title: 'This form was not sent by a page of this server', remedy: 'Open the page again and press the button there.' },
  'blocked-by-policy': { status: 403, title: 'The policy of this server holds it back', remedy: 'Take a release that the page lists, or wait where the line says until when. Who runs the server can name it in allow or cooldownExempt; docs/views.md has the rules.' },
  'strange-host': { status: 403, title: 'This host name is none of this server\'s', remedy: 'Add it to allowedHosts, or set publicUrl to the address that people use.' },
  'busy': { status: 429, title: 'This client asks for too much at once', remedy: 'Wait for what is under way, or send the admin\'s token.' },
  'too-many-streams': { status: 503, title: 'Too many pages and programs are being told what changes', remedy: 'Close some, or look again in a moment.' },
  'not-possible-now': { status: 409, title: 'The job is not in a state for that', remedy: 'Only queued and running jobs are cancelled, only failed and cancelled ones are tried again.' },
  'too-large': { status: 413, title: 'That is too large to be read', remedy: 'The detail names the limit.' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method', remedy: 'Use one of the methods that the Allow header names.' },
  'not-acceptable': { status: 406, title: 'None of the accepted content types can be given', remedy: 'Accept application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html or text/html.' },
  'bad-range': { status: 416, title: 'The range lies outside the file', remedy: 'Ask for bytes within the size that Content-Range names.' },
  'still-building': { status: 423, title: 'Muslin is still building this wheel', remedy: 'Run the same command again; the build goes on meanwhile.' },
  'build-failed': { status: 424, title: 'Muslin could not build this wheel', remedy: 'Open the link: it is the log. The class of the failure, below, says what helps. The release is not promised again: the next install takes its sdist.' },
  'metadata-changed': { status: 424, title: 'The metadata was changed by the build', remedy: 'Run the same command again; the page now has the metadata that the build gave.' },
  'start-refused': { status: 424, title: 'Muslin may not start a build for this request', remedy: 'Ask by an installer (pip, uv), under a host name of the server: add yours to allowedHosts.' },
  'not-built-here': { status: 424, title: 'A recipe says that this is not built', remedy: 'Read the reason; a recipe of this site with an empty skip has it built all the same.' },
  'queue-full': { status: 423, title: 'Too many builds are waiting', remedy: 'Try again later, or raise queueLimit.' },
  'too-many-builds': { status: 423, title: 'This client asked for too many new builds', remedy: 'Try again later, or raise buildsPerClient or metadataPerClient.' },
  'no-builder': { status: 423, title: 'No builder is ready for this target', remedy: 'Look at what the server printed when it started: it names the engine and why it cannot be used.' },
  'paused': { status: 423, title: 'Builds are paused', remedy: 'Run again once they go on: an admin resumes them by muslin resume, or on the overview page. Meanwhile nothing is promised, so a new run takes the sdist.' },
  'target-gone': { status: 424, title: 'This target is not built for any more', remedy: 'Ask for the project\'s page again; to have the target back, add it to the setting targets.' },
  'shutting-down': { status: 503, title: 'Muslin is shutting down', remedy: 'Try again in a moment.' },
  'internal': { status: 500, title: 'Muslin made a mistake', remedy: 'Look at the server\'s log; this is a defect, please report it.' },
  'upstream-unreachable': { status: 502, title: 'The upstream cannot be reached', remedy: 'Check the setting upstream, this machine\'s network, and upstreamCa where a certificate is not trusted.' },
  'upstream-refused': { status: 502, title: 'The upstream refused the request', remedy: 'Check the setting upstream and the credentials in it; for 5xx and 429 try again later.' },
  'upstream-bad-answer': { status: 502, title: 'The upstream gave an answer that is no index page', remedy: 'Check that the setting upstream is the URL of a simple index (PEP 503, PEP 691).' },
  'upstream-forbidden': { status: 502, title: 'The upstream leads to where it may not', remedy: 'If the host that is named is meant to serve files, add it to allowedFileHosts.' },
  'offline': { status: 503, title: 'The server is offline, and this was not seen before', remedy: 'Ask again once the setting offline is unset, or fetch it by a server that is not offline, on the same data folder.' },
  'upstream-timeout': { status: 504, title: 'The upstream did not answer in time', remedy: 'Try again; if it lasts, check this machine\'s network.' },
  'digest-mismatch': { status: 502, title: 'The upstream sent other bytes than its page promises', remedy: 'Try again; if it lasts, something between here and the upstream changes files. Nothing of it was kept.' },
  'loop': { status: 508, title: 'Muslin is its own upstream', remedy: 'Set upstream to another index than this server, and to none that leads back to it.' },
  'bad-settings': { status: 500, title: 'A setting cannot be used', remedy: 'The detail names the setting, where it was set, and what is accepted.' },
  'no-upstream': { status: 500, title: 'No upstream index is known', remedy: 'Give --upstream URL, MUSLIN_UPSTREAM or PIP_INDEX_URL, or install pip.' },
  'no-crates-index': { status: 503, title: 'No registry of crates is known', remedy: 'Set cratesIndex to the URL of a sparse index of crates: projects in Rust are built from it.' },
  'port-in-use': { status: 500, title: 'The port is taken', remedy: 'End what listens there, or choose another port.' },
  'data-folder': { status: 500, title: 'The data folder cannot be used', remedy: 'Check its owner and mode, or choose another by data.' },
  'disk-full': { status: 507, title: 'The disk is full', remedy: 'Make room on the disk of the data folder. What is stored is served meanwhile; nothing new is kept or built.' },
  'engine-unavailable': { status: 503, title: 'The container engine cannot be used', remedy: 'Start Docker, let this user reach its socket, or set builder to none.' },
  'sandbox-unavailable': { status: 503, title: 'Builds cannot be locked in on this machine', remedy: 'Install bubblewrap, or let this user make user namespaces; muslin doctor says more.' },
  'no-server': { status: 502, title: 'The server cannot be reached', remedy: 'Start it by npm start, or name it by --server URL or MUSLIN_SERVER.' },
  'image-unavailable': { status: 503, title: 'A builder image cannot be made ready', remedy: 'Read the detail; name a ready image by builderImages or cleanImages.' },
  'transfer-failed': { status: 500, title: 'Files could not be moved into or out of a container', remedy: 'It is tried again by itself; look at the server\'s log and at the engine\'s.' },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>

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
