/** Text from logs, sdists and upstreams is hostile: what it may not bring into a header line or a terminal. */

/** A control sequence, whole, in its 7-bit form: CSI, then the string kinds (ended or cut), then the short ones, then a lone escape. */
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[0-Z\\`-~])?/g

/** Colours and weights, the one kind of sequence that only looks. */
const LOOKS = /^\x1b\[[0-9;:]*m$/

/**
 * One line of printable ASCII of at most `max` characters, fit for an HTTP reason phrase and a header: controls and line ends
 * become spaces, other characters question marks. A longer text ends in "...".
 */
export function cleanLine(text: string, max = 200): string {
  // More than a line can never be shown; a log of megabytes is not worked through for it.
  const line = text.slice(0, max * 20).replace(ESCAPES, '').replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ').replace(/[^\x20-\x7e]/gu, '?').trim()
  return line.length <= max ? line : `${line.slice(0, Math.max(0, max - 3)).trimEnd()}...`.slice(0, max)
}

/** The text as it may be written to a terminal: line ends, tabs and colours stay, every other control and all overrides of direction go. */
export function cleanTerminal(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(ESCAPES, (sequence) => LOOKS.test(sequence) ? sequence : '')
    .replace(/[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
}

/** What may be the beginning of a sequence that goes on in the next piece: a control sequence, a string, maybe with half its end, or a short one. */
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?|[ -/]*)$/
const LONGEST_UNFINISHED = 1000

/**
 * The same for a text that comes in pieces: whatever it is cut into, the results together are what `cleanTerminal` makes of the
 * whole. Only a sequence without its end is withheld, and of one longer than any real one nothing is remembered but how it began.
 */
export function terminalCleaner(): (piece: string) => string {
  let withheld = ''
  let afterReturn = false
  return (piece) => {
    if (piece === '') return ''
    const text = withheld + (afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece).replace(/\r\n?/g, '\n')
    afterReturn = piece.endsWith('\r')
    withheld = UNFINISHED.exec(text)?.[0] ?? ''
    const whole = text.slice(0, text.length - withheld.length)
    if (withheld.length > LONGEST_UNFINISHED) withheld = /[\]PX^_]/.test(withheld[1]!) ? withheld.slice(0, 2) + (withheld.endsWith('\x1b') ? '\x1b' : '') : ''
    return cleanTerminal(whole)
  }
}
