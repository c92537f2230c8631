/** The lines that end a client's wait: shown by pip and uv as the reason phrase, so one short line of ASCII with its link at the end. */
import { cleanLine } from './clean.ts'
import { FAILURE_CLASSES, type Failure } from './failure.ts'

const LONGEST = 200

/** "Muslin: cffi 1.17 needs header ffi.h, see http://host/b/42" */
export function failureLine(about: { project: string; version: string; failure: Failure; link: string }): string {
  const { project, version, failure, link } = about
  return reasonLine(`${project} ${version} ${FAILURE_CLASSES[failure.class].cause(failure.key)}`, link)
}

/** "Muslin: numpy 1.19.5 is still building, about 6 min left, run again, see http://host/b/43"; without an estimate it names none. */
export function stillBuildingLine(about: { project: string; version: string; secondsLeft?: number | undefined; link?: string | undefined }): string {
  const { project, version, secondsLeft, link } = about
  const left = secondsLeft === undefined || !(secondsLeft > 0) ? '' : `, about ${Math.ceil(secondsLeft / 60)} min left`
  return reasonLine(`${project} ${version} is still building${left}, run again`, link)
}

/** pip stops when a METADATA that it was shown differs from the wheel's: the next run is shown the wheel's own. */
export function metadataChangedLine(about: { project: string; version: string; link?: string | undefined }): string {
  return reasonLine(`the metadata of ${about.project} ${about.version} was changed by the build, run again`, about.link)
}

/** Any other reason in the same form. A long text is cut, the link never. */
export function reasonLine(text: string, link?: string): string {
  const end = link === undefined ? '' : `, see ${cleanLine(link, 150)}`
  return `Muslin: ${cleanLine(text, LONGEST - 'Muslin: '.length - end.length)}${end}`
}

/** `builds are paused: REASON`, for people; null where they are not. The reason was cleaned when it was given. */
export function pausedLine(pause: { reason: string | undefined } | undefined): string | null {
  return pause ? `builds are paused${pause.reason === undefined ? '' : `: ${pause.reason}`}` : null
}
