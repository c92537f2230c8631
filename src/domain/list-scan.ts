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

/** What is kept from one piece to the next is no longer than this: a project, or the list's `meta`. */
const LONGEST_VALUE = 64 * 1024
const DEEPEST = 100
const [QUOTE, BACKSLASH, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]

/**
 * A scanner for one list. `push` and `end` throw `upstream-bad-answer` where the bytes are no such list; keys that the standard does not know may
 * stand anywhere, and a project without a name that is text is passed over.
 */
export function createListScanner(): ListScanner {
  const decoder = new TextDecoder()
  let version: string | undefined
  /** What closes each bracket that is open. */
  const open: number[] = []
  let inString = false
  let escaped = false
  /** The key of the list itself that is being read. */
  let key = ''
  let listed = false
  /** Text of the value that began in an earlier piece, or is being read: a key of the list, `meta`, or a project. */
  let held = ''
  let from = -1

  return {
    version: () => version,
    push: (bytes) => scan(decoder.decode(bytes, { stream: true })),
    end() {
      scan(decoder.decode())
      if (open.length > 0 || inString || !listed) throw bad('it ends too early')
    },
  }

  function scan(text: string): string[] {
    const names: string[] = []
    if (from >= 0) from = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (inString) {
        if (escaped) escaped = false
        else if (code === BACKSLASH) escaped = true
        else if (code === QUOTE) inString = false
      } else if (code === QUOTE) {
        inString = true
        if (open.length === 1) begin(at)
      } else if (code === COLON && open.length === 1) {
        key = String(parsed(taken(text, at)))
      } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        enter(code, at)
      } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        const name = leave(text, code, at)
        if (name !== undefined) names.push(name)
      } else if (open.length === 0 && code > 0x20) {
        throw bad('it is no JSON object')
      }
    }
    if (from >= 0) held += text.slice(from)
    if (held.length > LONGEST_VALUE) throw bad(`one value is longer than ${LONGEST_VALUE} characters`)
    return names
  }

  function enter(code: number, at: number): void {
    const depth = open.length
    if ((depth === 0 && (code !== OPEN_OBJECT || listed)) || depth === DEEPEST) throw bad('it is no JSON object')
    if (depth === 1 && key === 'projects') {
      if (code !== OPEN_ARRAY) throw bad('its projects are no array')
      listed = true
    }
    if ((depth === 1 && key === 'meta') || (depth === 2 && key === 'projects')) begin(at)
    open.push(code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)
  }

  /** The name of the project that ends here, if one does. */
  function leave(text: string, code: number, at: number): string | undefined {
    if (open.pop() !== code) throw bad('it is no JSON')
    if (open.length === 1 && key === 'meta') version = versionIn(parsed(taken(text, at + 1)))
    if (open.length !== 2 || key !== 'projects') return undefined
    const { name } = parsed(taken(text, at + 1)) as { name?: unknown }
    return typeof name === 'string' ? name : undefined
  }

  function begin(at: number): void {
    held = ''
    from = at
  }

  /** The text since `begin`. */
  function taken(text: string, end: number): string {
    const value = held + text.slice(Math.max(from, 0), end)
    held = ''
    from = -1
    return value
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
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
