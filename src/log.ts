import { destination, pino, stdTimeFunctions } from 'pino'
import type { DestinationStream, Logger } from 'pino'

/**
 * The log: one JSON object a line, on standard error unless told otherwise, since standard output carries what commands print.
 * What must not be kept (tokens, cookies, credentials in headers and URLs) is taken out of every line, however deep it stands.
 */
export function createLog(level: string, to: DestinationStream = destination({ fd: 2, sync: true })): Logger {
  return pino({
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: redact },
  }, to)
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`
const SECRET_KEYS = new RegExp(String.raw`"((?:proxy-)?authorization|(?:set-)?cookie|[\w-]*token|password|secret)":(?:${STRING}|\[(?:${STRING},?)*\])`, 'gi')
const USERINFO = /(:\/\/)[^\s/"\\?#]+@/g
const SCHEMES = /\b(Bearer|Basic) [\w+/.~-]{6,}=*/gi

/** A line of the log, or any text, without secrets. */
export function redact(line: string): string {
  return line
    .replace(SECRET_KEYS, '"$1":"[redacted]"')
    .replace(USERINFO, '$1[redacted]@')
    .replace(SCHEMES, '$1 [redacted]')
}
