/**
 * Reads tar archives as they come. Our own reading: it must see what Python's tarfile sees, which unpacks them in the end, and whatever
 * two readers could take for two things is refused, where a library takes one of them in silence.
 */
import type { Member, Tree } from './sdist-tree.ts'
import { bad, shown } from './sdist-tree.ts'

const BLOCK = 512
/** An extended header holds a name or two. */
const LONGEST_HEADER = 1 << 20
/** By POSIX, what pax calls the header of one member and of all that follow; X is what Solaris wrote. */
const KINDS: Record<string, Member['kind']> = { '0': 'file', '\0': 'file', '7': 'file', '1': 'hard link', '2': 'symbolic link', '5': 'folder' }

interface Extended { path?: string; linkpath?: string; size?: number }

export interface TarReader {
  /** The next bytes of the archive. Throws Failed. */
  write(chunk: Uint8Array): void
  /** There are no more. Throws Failed where some are missing. */
  end(): void
}

export function createTarReader(tree: Tree): TarReader {
  const header = Buffer.alloc(BLOCK)
  let filled = 0
  let left = 0
  let padding = 0
  let ended = false
  /** What the bytes of the present member are for; undefined: nothing. */
  let kept: { chunks: Buffer[]; room: number; done: (bytes: Buffer) => void } | undefined
  let extended: Extended | undefined

  return {
    write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (ended) return onlyZeros(chunk.subarray(at))
        const part = chunk.subarray(at, at + (left || padding || BLOCK - filled))
        at += part.length
        if (left > 0) body(part)
        else if (padding > 0) padding -= part.length
        else block(part)
      }
    },
    end() {
      if (filled > 0 || left > 0 || padding > 0) throw bad('it is cut short')
      if (extended) throw bad('it ends with a header for a member that does not come')
    },
  }

  function body(part: Uint8Array): void {
    if (kept && kept.room > 0) {
      kept.chunks.push(Buffer.from(part.subarray(0, kept.room)))
      kept.room -= part.length
    }
    left -= part.length
    if (left === 0) finish()
  }

  function finish(): void {
    const last = kept
    kept = undefined
    last?.done(Buffer.concat(last.chunks))
  }

  function block(part: Uint8Array): void {
    header.set(part, filled)
    filled += part.length
    if (filled < BLOCK) return
    filled = 0
    if (header.every((byte) => byte === 0)) {
      ended = true
      if (extended) throw bad('it ends with a header for a member that does not come')
      return
    }
    checkSum(header)
    take(String.fromCharCode(header[156]!), sizeOf(header))
  }

  function take(type: string, size: number): void {
    if (type === 'x' || type === 'X' || type === 'g' || type === 'L' || type === 'K') return takeExtended(type, size)
    const name = extended?.path ?? nameOf(header)
    const linkname = extended?.linkpath ?? textOf(header.subarray(157, 257))
    const length = extended?.size ?? size
    extended = undefined
    if (type === 'S') throw bad(`${shown(name)} is a sparse file`)
    // Archives older than POSIX know no folders. tarfile looks at the header's own name, whatever extended ones say: it decides whether bytes follow.
    const old = type === '\0' && endsInSlash(header.subarray(0, 100))
    const kind = old ? 'folder' : KINDS[type]
    if (old && !name.endsWith('/')) throw bad(`${shown(name)} is a folder by its header and a file by its name`)
    if (kind === undefined) throw bad(`${shown(name)} is neither a file, a folder nor a link`)
    if (kind === 'file' && name.endsWith('/')) throw bad(`${shown(name)} is a file by its kind and a folder by its name`)
    const link = kind === 'symbolic link' || kind === 'hard link'
    // tarfile takes no bytes for links, others do.
    if (link && length > 0) throw bad(`the link ${shown(name)} has a size`)
    const room = tree.add({ name, kind, size: kind === 'file' ? length : 0, ...(link && { target: linkname }) })
    if (kind !== 'file') return
    expect(length, room > 0 ? { chunks: [], room, done: (bytes) => tree.text(name, bytes) } : undefined)
  }

  function takeExtended(type: 'x' | 'X' | 'g' | 'L' | 'K', size: number): void {
    if (size > LONGEST_HEADER) throw bad(`an extended header has ${size} bytes`)
    tree.count()
    expect(size, {
      chunks: [], room: size,
      done: (bytes) => {
        if (type === 'g') return void paxRecords(bytes, true)
        const more: Extended = type === 'L' ? { path: textOf(bytes) } : type === 'K' ? { linkpath: textOf(bytes) } : paxRecords(bytes, false)
        // Two for one member: readers differ in which of them counts. A long name beside a long target is one of each.
        if (extended && (type === 'x' || type === 'X' || Object.keys(more).some((key) => Object.hasOwn(extended!, key)))) throw bad('a member has two extended headers')
        extended = { ...extended, ...more }
      },
    })
  }

  function expect(size: number, keep: typeof kept): void {
    left = size
    padding = (BLOCK - size % BLOCK) % BLOCK
    kept = keep
    if (size === 0) finish()
  }
}

/** The records `LENGTH KEY=VALUE\n` of pax (POSIX.1-2001). Those for all members may say nothing about names and sizes. */
function paxRecords(bytes: Buffer, forAll: boolean): Extended {
  const found: Extended = {}
  for (let at = 0; at < bytes.length;) {
    // tarfile stops at a NUL.
    if (bytes[at] === 0) break
    const digits = /^(\d{1,7}) /.exec(bytes.toString('latin1', at, at + 8))?.[1]
    const end = at + Number(digits)
    const equals = digits === undefined ? -1 : bytes.indexOf('=', at + digits.length + 1)
    if (digits === undefined || end > bytes.length || bytes[end - 1] !== 10 || equals < 0 || equals >= end) throw bad('an extended header cannot be read')
    const key = bytes.toString('latin1', at + digits.length + 1, equals)
    const value = bytes.subarray(equals + 1, end - 1)
    at = end
    if (key.startsWith('GNU.sparse.')) throw bad('it holds a sparse file')
    if (key === 'hdrcharset' && value.toString('latin1') === 'BINARY') throw bad('it holds a name that is not UTF-8')
    if (key !== 'path' && key !== 'linkpath' && key !== 'size') continue
    if (forAll) throw bad(`an extended header sets the ${key} of all members`)
    if (Object.hasOwn(found, key)) throw bad(`an extended header sets the ${key} twice`)
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value.toString('latin1'))) throw bad('an extended header holds a size that is no number')
      found.size = Number(value)
    } else {
      found[key] = decoded(value)
    }
  }
  return found
}

/** The sum of all bytes, its own field taken for spaces; some old archives sum them as signed ones. */
function checkSum(header: Buffer): void {
  let plain = 8 * 32
  let signed = 8 * 32
  for (let at = 0; at < BLOCK; at++) {
    if (at >= 148 && at < 156) continue
    plain += header[at]!
    signed += header.readInt8(at)
  }
  const said = number(header.subarray(148, 156))
  if (said !== plain && said !== signed) throw bad('it is damaged, or no tar archive')
}

function sizeOf(header: Buffer): number {
  const size = number(header.subarray(124, 136))
  if (size === undefined || size < 0) throw bad(`the size of ${shown(header.toString('latin1', 0, 100).replace(/\0.*/s, ''))} is no number of bytes`)
  return size
}

/** Octal digits, or binary where the first bit says so: negative where its next does. */
function number(field: Buffer): number | undefined {
  if (field[0] === 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0)
  if (field[0] === 0xff) return -1
  const digits = /^ *([0-7]*)[ \0]*(?:\0.*)?$/s.exec(field.toString('latin1'))?.[1]
  return digits === undefined ? undefined : parseInt(digits || '0', 8)
}

/** tarfile puts the prefix before the name whatever the format says. */
function nameOf(header: Buffer): string {
  const prefix = textOf(header.subarray(345, 500))
  const name = textOf(header.subarray(0, 100))
  return prefix === '' ? name : `${prefix}/${name}`
}

function endsInSlash(field: Buffer): boolean {
  const end = field.indexOf(0)
  return field[(end < 0 ? field.length : end) - 1] === 0x2f
}

/** Up to the first NUL. */
function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return decoded(end < 0 ? bytes : bytes.subarray(0, end))
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw bad(`the name ${shown(Buffer.from(bytes).toString('latin1'))} is not UTF-8`)
  }
}

function onlyZeros(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw bad('bytes follow behind its end')
}
