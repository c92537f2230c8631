/** Reads a JSON list of projects (PEP 691 "Project List") piece by piece: the list is tens of megabytes, and is never held as a whole. */
import { MuslinError } from '../errors.ts'

export interface ListScanner {
  /** Takes the next bytes, UTF-8, and gives the names of the projects that they completed, as they stand there. */
  push(bytes: Uint8Array): string[]
  /** `meta.api-version`, once it has come. */
  version(): string | undefined
  /** There are no more bytes. Throws where the list is not whole. */
  end(): void
}

/** What is kept from one piece to the next is no longer than this: a text, or the list's `meta`. */
const LONGEST_VALUE = 64 * 1024
const DEEPEST = 100
const [QUOTE, COMMA, BACKSLASH, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x2c, 0x5c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]
/** Of a project in the array of the list. */
const PROJECT_DEPTH = 3

/**
 * A scanner for one list. `push` and `end` throw `upstream-bad-answer` where the bytes are no such list; keys that the standard does not know may
 * stand anywhere, and a project without a name that is text is passed over. It looks at bytes, and makes text only of names: of all that is
 * punctuation in JSON nothing occurs inside a longer character of UTF-8.
 */
export function createListScanner(): ListScanner {
  let version: string | undefined
  /** What closes each bracket that is open. */
  const open: number[] = []
  let inString = false
  let escaped = false
  /** The key of the list itself that is being read, and that of a project. */
  let listKey = ''
  let projectKey = ''
  let name: string | undefined
  let listed = false
  /** The value that is being read, where it is one of interest: what came of it earlier, and where it goes on. */
  let held: Uint8Array[] = []
  let from = -1
  let text: string | undefined

  return {
    version: () => version,
    push: scan,
    end() {
      if (open.length > 0 || inString || !listed) throw bad('it ends too early')
    },
  }

  function scan(bytes: Uint8Array): string[] {
    const names: string[] = []
    if (from >= 0) from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) endString(bytes, at)
      } else if (byte === QUOTE) {
        inString = true
        if (open.length === 1 || isInProject()) from = at
      } else if (byte === COLON) {
        if (open.length === 1) listKey = text ?? ''
        else if (isInProject()) projectKey = text ?? ''
        text = undefined
      } else if (byte === COMMA) {
        endValue()
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        enter(byte, at)
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        leave(bytes, byte, at, names)
      } else if (open.length === 0 && byte > 0x20) {
        throw bad('it is no JSON object')
      }
    }
    if (from >= 0) held.push(bytes.slice(from))
    if (held.length > 1 && held.reduce((sum, { length }) => sum + length, 0) > LONGEST_VALUE) throw bad(`one value is longer than ${LONGEST_VALUE} bytes`)
    return names
  }

  function isInProject(): boolean {
    return open.length === PROJECT_DEPTH && listKey === 'projects' && open[2] === CLOSE_OBJECT
  }

  function endString(bytes: Uint8Array, at: number): void {
    inString = false
    if (from < 0 || (open.length !== 1 && !isInProject())) return
    text = (held.length === 0 ? plain(bytes, from + 1, at) : undefined) ?? String(parsed(taken(bytes, at + 1)))
    from = -1
  }

  function endValue(): void {
    // Of equal keys the last one counts.
    if (isInProject() && projectKey === 'name') name = text
    projectKey = ''
    text = undefined
  }

  function enter(byte: number, at: number): void {
    const depth = open.length
    if ((depth === 0 && (byte !== OPEN_OBJECT || listed)) || depth === DEEPEST) throw bad('it is no JSON object')
    if (depth === 1 && listKey === 'projects') {
      if (byte !== OPEN_ARRAY) throw bad('its projects are no array')
      listed = true
    }
    if (depth === 1 && listKey === 'meta') from = at
    open.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)
  }

  function leave(bytes: Uint8Array, byte: number, at: number, names: string[]): void {
    if (isInProject()) {
      endValue()
      if (name !== undefined) names.push(name)
      name = undefined
    }
    if (open.pop() !== byte) throw bad('it is no JSON')
    if (open.length === 1 && listKey === 'meta') version = versionIn(parsed(taken(bytes, at + 1)))
  }

  /** The value that ends here. */
  function taken(bytes: Uint8Array, end: number): string {
    const last = bytes.subarray(from, end)
    const value = held.length === 0 ? DECODER.decode(last) : DECODER.decode(Uint8Array.from([...held, last].flatMap((piece) => [...piece])))
    held = []
    from = -1
    return value
  }
}

/** Such a string without its quotes, where it is short and stands for itself, as names of projects do. */
function plain(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 60) return undefined
  let value = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return undefined
    value += String.fromCharCode(byte)
  }
  return value
}

const DECODER = new TextDecoder()

function parsed(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    throw bad('it is no JSON')
  }
}

function versionIn(meta: unknown): string {
  const { 'api-version': told = '1.0' } = meta as { 'api-version'?: unknown }
  // PEP 629: another major version means something else.
  if (typeof told !== 'string' || !/^1\.[0-9]+$/.test(told)) throw bad(`its version is ${JSON.stringify(told).slice(0, 20)}`)
  return told
}

function bad(problem: string): MuslinError {
  return new MuslinError('upstream-bad-answer', `what the upstream sent is no list of projects (${problem}); check the setting upstream`)
}
